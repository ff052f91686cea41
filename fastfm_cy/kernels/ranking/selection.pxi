"""The best n of each row of scores, and how high held-out items stand among all.

A tile of scores comes from a matrix product and is still in the cache. A row of it is scanned for
scores above the n-th best so far; few are, so that the scan compares a line of scores at a time.
"""

cdef enum:
    AT_A_TIME = 16


cdef extern from "selection.h" nogil:
    bint fm_any_above_f(const float* scores, float threshold)
    bint fm_any_above_d(const double* scores, double threshold)


cdef inline bint any_above(const real* scores, real threshold) noexcept nogil:
    if real is float:
        return fm_any_above_f(scores, threshold)
    else:
        return fm_any_above_d(scores, threshold)


cdef inline bint is_worse(real score, int64_t item, real other, int64_t other_item) noexcept nogil:
    return score < other or (score == other and item > other_item)


cdef inline void sift_down(real* scores, int64_t* items, Py_ssize_t place,
                           Py_ssize_t n) noexcept nogil:
    """Restore a heap whose root is its worst."""
    cdef real score = scores[place]
    cdef int64_t item = items[place]
    cdef Py_ssize_t child = 2 * place + 1
    while child < n:
        if child + 1 < n and is_worse(scores[child + 1], items[child + 1], scores[child],
                                      items[child]):
            child += 1
        if not is_worse(scores[child], items[child], score, item):
            break
        scores[place], items[place] = scores[child], items[child]
        place = child
        child = 2 * place + 1
    scores[place], items[place] = score, item


cdef inline void take_best(const real* row, Py_ssize_t width_of_row, Py_ssize_t first_item,
                           real* best, int64_t* items, Py_ssize_t n) noexcept nogil:
    """Items come with rising numbers, so that of equal scores the first stays."""
    cdef Py_ssize_t start = 0, column, end
    while start < width_of_row:
        end = min(start + AT_A_TIME, width_of_row)
        if end - start == AT_A_TIME and not any_above(row + start, best[0]):
            start = end
            continue
        for column in range(start, end):
            if row[column] > best[0]:
                best[0], items[0] = row[column], first_item + column
                sift_down(best, items, 0, n)
        start = end


def select(real[:, ::1] tile, Py_ssize_t n_rows, Py_ssize_t first_item, Py_ssize_t n_items,
           const int64_t[::1] hidden_indptr, const int32_t[::1] hidden_items, Py_ssize_t first_row,
           real[:, ::1] best, int64_t[:, ::1] items):
    """Take the scores of a tile into the heaps of its rows.

    Parameters
    ----------
    tile : scores of n_rows rows and of items first_item .. first_item + n_items - 1
        Those of hidden items are overwritten.
    hidden_indptr, hidden_items : CSR of sorted items that no row may get, or None
        Row first_row is the tile's first.
    best, items : shape (n_rows or more, n)
        Heaps; -infinity and -1 where there is nothing yet.
    """
    cdef Py_ssize_t row, entry, n = best.shape[1]
    cdef real lowest = <real>(-INFINITY)
    if n_items == 0 or n_rows == 0:
        return
    with nogil:
        for row in range(n_rows):
            if hidden_indptr is not None:
                hide(&tile[row, 0], lowest, hidden_items, hidden_indptr[first_row + row],
                     hidden_indptr[first_row + row + 1], first_item, n_items)
            take_best(&tile[row, 0], n_items, first_item, &best[row, 0], &items[row, 0], n)


cdef inline void hide(real* row, real lowest, const int32_t[::1] hidden, Py_ssize_t low,
                      Py_ssize_t end, Py_ssize_t first_item, Py_ssize_t n_items) noexcept nogil:
    cdef Py_ssize_t high = end, middle
    if first_item > 0:
        while low < high:
            middle = (low + high) >> 1
            if hidden[middle] < first_item:
                low = middle + 1
            else:
                high = middle
    while low < end and hidden[low] < first_item + n_items:
        row[hidden[low] - first_item] = lowest
        low += 1


def sort_best(real[:, ::1] best, int64_t[:, ::1] items, Py_ssize_t first, Py_ssize_t last):
    """Turn the heaps of rows first..last-1 into lists, best first."""
    cdef Py_ssize_t row, n = best.shape[1], left
    with nogil:
        for row in range(first, last):
            left = n - 1
            while left > 0:
                best[row, 0], best[row, left] = best[row, left], best[row, 0]
                items[row, 0], items[row, left] = items[row, left], items[row, 0]
                sift_down(&best[row, 0], &items[row, 0], 0, left)
                left -= 1


def add_order(real[:, ::1] tile, Py_ssize_t n_rows, Py_ssize_t first_item, Py_ssize_t n_items,
              const int64_t[::1] hidden_indptr, const int32_t[::1] hidden_items,
              const int64_t[::1] truth_indptr, const real[::1] truth_scores, Py_ssize_t first_row,
              double[::1] sums):
    """Add to a row's sum, for each score of the tile that is not hidden, how many of the row's
    truth_scores are above it, ties for half.

    truth_scores, increasing in each row, has the CSR offsets truth_indptr.
    """
    cdef Py_ssize_t row, column, low, high, last, middle, upper
    cdef real score, lowest = <real>(-INFINITY)
    with nogil:
        for row in range(n_rows):
            last = truth_indptr[first_row + row + 1]
            if truth_indptr[first_row + row] == last:
                continue
            if hidden_indptr is not None:
                hide(&tile[row, 0], lowest, hidden_items, hidden_indptr[first_row + row],
                     hidden_indptr[first_row + row + 1], first_item, n_items)
            for column in range(n_items):
                score = tile[row, column]
                if score == lowest:
                    continue
                low, high = truth_indptr[first_row + row], last
                while low < high:                           # the first not below the score
                    middle = (low + high) >> 1
                    if truth_scores[middle] < score:
                        low = middle + 1
                    else:
                        high = middle
                upper = low
                while upper < last and truth_scores[upper] == score:
                    upper += 1
                sums[first_row + row] += (last - upper) + 0.5 * (upper - low)
