"""Second-order factorization machine (Rendle 2010): scores, and per-sample training.

    score(x) = w0 + sum_i w_i x_i + 1/2 sum_f (s_f^2 - q_f),
    s_f = sum_i v_if x_i,    q_f = sum_i (v_if x_i)^2,

which equals the sum over all pairs i < j of <v_i, v_j> x_i x_j in O(nnz * n_factors).

This source is compiled once for each instruction set (fm_baseline.pyx, fm_avx2.pyx), and every
loop once for each common number of factors, so that the inner loops have constant bounds.

The rows of the table that a sparse row touches are all over memory, and waiting for them is most
of the work. So three stages of prefetching run ahead of training: the row's offsets, its entries,
and then its parameters, these spread through the update of the current row.
"""

from libc.math cimport isfinite
from libc.stdlib cimport free, malloc

from .loss cimport loss_value_gradient
from .settings cimport Settings, StepSettings
from .structs cimport CSRView, TableView, int32_t, int64_t, real
from .update cimport step
from .vector cimport (
    FM_PREFETCH, FM_PREFETCH_OWN, accumulate, accumulate_two, clear, fm_flush_denormals, fm_restore_denormals,
    interactions,
)

cdef enum:
    LINE = 64                     # bytes in a cache line
    ENTRIES_AHEAD = 64            # non-zeros between prefetching a parameter and using it
    MOST_ROWS_AHEAD = 16
    WIDEST = 64                   # of the widths below

# A type whose size is the number of factors: a constant that a function can be specialised for.
ctypedef struct any_width:
    char size[1]
ctypedef struct width_4:
    char size[4]
ctypedef struct width_8:
    char size[8]
ctypedef struct width_16:
    char size[16]
ctypedef struct width_32:
    char size[32]
ctypedef struct width_64:
    char size[64]
ctypedef fused width:
    any_width
    width_4
    width_8
    width_16
    width_32
    width_64


cdef inline Py_ssize_t n_factors_of(const width* tag, const TableView* table) noexcept nogil:
    if width is any_width:
        return table.n_factors
    else:
        return sizeof(width)


cdef inline void prefetch_parameters(const TableView* table, Py_ssize_t column, bint to_write,
                                     real tag) noexcept nogil:
    cdef const real* v = <const real*>table.factors + column * table.factor_stride
    cdef Py_ssize_t f = 2 * LINE // sizeof(real)
    if to_write:
        FM_PREFETCH_OWN(v)
        if table.factor_stride > LINE // sizeof(real):
            FM_PREFETCH_OWN(v + LINE // sizeof(real))
        while f < table.factor_stride:
            FM_PREFETCH_OWN(v + f)
            f += LINE // sizeof(real)
        FM_PREFETCH_OWN(<const real*>table.linear + column * table.linear_stride)
    else:
        FM_PREFETCH(v)
        if table.factor_stride > LINE // sizeof(real):
            FM_PREFETCH(v + LINE // sizeof(real))
        while f < table.factor_stride:
            FM_PREFETCH(v + f)
            f += LINE // sizeof(real)
        FM_PREFETCH(<const real*>table.linear + column * table.linear_stride)


cdef inline void prefetch_entries(const CSRView* rows, Py_ssize_t row, real tag) noexcept nogil:
    cdef Py_ssize_t entry = rows.indptr[row]
    while entry < rows.indptr[row + 1]:
        FM_PREFETCH(rows.indices + entry)
        FM_PREFETCH(<const real*>rows.data + entry)
        entry += LINE // sizeof(real)


cdef inline real score_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                           const TableView* table, real* sums, real* squares) noexcept nogil:
    """The score of one row; leaves s_f in `sums` for the update."""
    cdef const real* linear = <const real*>table.linear
    cdef const real* factors = <const real*>table.factors
    cdef const real* data = <const real*>rows.data
    cdef Py_ssize_t k = n_factors_of(tag, table)
    cdef Py_ssize_t entry = rows.indptr[row], end = rows.indptr[row + 1], column, other
    cdef real score = 0
    clear(sums, squares, k)
    while entry + 1 < end:
        column = rows.indices[entry]
        other = rows.indices[entry + 1]
        score = score + (linear[column * table.linear_stride] * data[entry]
                         + linear[other * table.linear_stride] * data[entry + 1])
        accumulate_two(sums, squares, factors + column * table.factor_stride, data[entry],
                       factors + other * table.factor_stride, data[entry + 1], k)
        entry += 2
    if entry < end:
        column = rows.indices[entry]
        score = score + linear[column * table.linear_stride] * data[entry]
        accumulate(sums, squares, factors + column * table.factor_stride, data[entry], k)
    # The intercept last: it is what each row's score must wait for from the row before.
    return (score + interactions(sums, squares, k)) + (<const real*>table.intercept)[0]


cdef inline void update_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                            Py_ssize_t coming, const TableView* table,
                            const StepSettings* settings, const real* sums, real g) noexcept nogil:
    """One solver step on every parameter that the row touches; g = d loss / d score.

    Meanwhile prefetches the parameters of the row `coming` (none if negative)."""
    cdef const real* data = <const real*>rows.data
    cdef const int32_t* ahead = rows.indices
    cdef Py_ssize_t k = n_factors_of(tag, table)
    cdef Py_ssize_t start = rows.indptr[row], n = rows.indptr[row + 1] - start
    cdef Py_ssize_t n_ahead = 0, i, column
    cdef real* intercept = <real*>table.intercept
    cdef real* w
    cdef real* v
    cdef real x
    cdef real one = 1
    cdef real rate = <real>settings.learning_rate
    cdef real l2_linear = <real>settings.l2_linear
    cdef real l2_factors = <real>settings.l2_factors
    if coming >= 0:
        ahead = rows.indices + rows.indptr[coming]
        n_ahead = rows.indptr[coming + 1] - rows.indptr[coming]
    if settings.fit_intercept:
        step(settings.solver, intercept, intercept + 1, &one, g, <real>0, rate, 1)
    for i in range(n):
        if i < n_ahead:
            prefetch_parameters(table, ahead[i], True, one)
        column = rows.indices[start + i]
        x = data[start + i]
        if settings.fit_linear:
            w = <real*>table.linear + column * table.linear_stride
            step(settings.solver, w, w + 1, &one, g * x, l2_linear, rate, 1)
        v = <real*>table.factors + column * table.factor_stride
        step(settings.solver, v, v + k, sums, g * x, l2_factors - g * x * x, rate, k)
    for i in range(n, n_ahead):
        prefetch_parameters(table, ahead[i], True, one)


cdef Py_ssize_t train_rows(const width* tag, CSRView rows, const real* y,
                           const real* weights, const int64_t* order, Py_ssize_t n,
                           TableView table, StepSettings settings,
                           Py_ssize_t distance, real* scratch, double* loss_sum) noexcept nogil:
    """Visit rows order[0..n); return how many were done before a score was not finite.

    The structs come by value: what has no address elsewhere can stay in registers."""
    cdef Py_ssize_t i, row, coming
    cdef double weight = 1, gradient = 0, total = 0
    cdef real score
    # On the stack where the width is known: no aliasing, so they may stay in registers.
    cdef real near_sums[WIDEST]
    cdef real near_squares[WIDEST]
    cdef real* sums = scratch if width is any_width else near_sums
    cdef real* squares = scratch + table.n_factors if width is any_width else near_squares
    for i in range(n):
        coming = -1
        if i + 2 * distance < n:
            if i + 3 * distance < n:
                FM_PREFETCH(rows.indptr + order[i + 3 * distance])
            row = order[i + 2 * distance]
            FM_PREFETCH(y + row)
            prefetch_entries(&rows, row, <real>0)
            coming = order[i + distance]
        row = order[i]
        score = score_row(tag, &rows, row, &table, sums, squares)
        if not isfinite(score):
            n = i
            break
        if weights != NULL:
            weight = weights[row]
        total += weight * loss_value_gradient(settings.loss, score, y[row], &gradient)
        update_row(tag, &rows, row, coming, &table, &settings, sums, <real>(weight * gradient))
    loss_sum[0] = total
    return n


cdef void predict_rows(const width* tag, CSRView rows, Py_ssize_t first, Py_ssize_t last,
                       TableView table, Py_ssize_t distance, real* scratch,
                       real* scores) noexcept nogil:
    """Scores of rows first..last-1 into scores[first..last)."""
    cdef Py_ssize_t row, entry
    for row in range(first, last):
        if row + distance < last:
            for entry in range(rows.indptr[row + distance], rows.indptr[row + distance + 1]):
                prefetch_parameters(&table, rows.indices[entry], False, <real>0)
        scores[row] = score_row(tag, &rows, row, &table, scratch, scratch + table.n_factors)


cdef Py_ssize_t prefetch_distance(Py_ssize_t n_entries, Py_ssize_t n_rows) noexcept nogil:
    """In rows: far enough that memory answers in time, near enough that caches still hold it."""
    cdef Py_ssize_t a_row = max(1, n_entries // max(1, n_rows))
    return min(MOST_ROWS_AHEAD, max(1, (ENTRIES_AHEAD + a_row - 1) // a_row))


def train(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
          const real[::1] y, const real[::1] weights, const int64_t[::1] order,
          real[::1] intercept, real[:, ::1] linear, real[:, ::1] factors,
          Py_ssize_t n_factors, Settings settings):
    """Train in place on the rows that `order` lists, one update a row.

    Parameters
    ----------
    indptr, indices, data
        The CSR matrix. Columns must lie in the table, and no row may hold a column twice.
    y, weights : shape (n_rows,)
        Targets, and sample weights or None.
    order : rows to visit, in this order
    intercept, linear, factors, n_factors
        The parameter table's arrays, and its padded number of factors.

    Returns
    -------
    (weighted sum of losses before each update, number of rows done); fewer rows than `order`
    has means that the next row's score was not finite, and nothing was updated from it.
    """
    cdef CSRView rows = CSRView(&indptr[0], &indices[0], &data[0])
    cdef TableView table = TableView(&intercept[0], &linear[0, 0], &factors[0, 0],
                                     linear.shape[1], factors.shape[1], n_factors)
    cdef const real* weight = NULL if weights is None else &weights[0]
    cdef StepSettings steps = settings.values
    cdef const real* targets = &y[0]
    cdef const int64_t* visits = &order[0]
    cdef Py_ssize_t n = order.shape[0], done
    cdef Py_ssize_t ahead = n                               # beyond the last row: none
    cdef Py_ssize_t constant = n_factors if steps.constant_width else -1
    cdef real* scratch = <real*>new_scratch(2 * n_factors * sizeof(real))
    cdef double loss_sum = 0
    cdef unsigned int mode
    if steps.prefetch:
        ahead = prefetch_distance(indices.shape[0], indptr.shape[0] - 1)
    with nogil:
        mode = fm_flush_denormals()
        if constant == 4:
            done = train_rows(<width_4*>NULL, rows, targets, weight, visits, n, table, steps,
                              ahead, scratch, &loss_sum)
        elif constant == 8:
            done = train_rows(<width_8*>NULL, rows, targets, weight, visits, n, table, steps,
                              ahead, scratch, &loss_sum)
        elif constant == 16:
            done = train_rows(<width_16*>NULL, rows, targets, weight, visits, n, table, steps,
                              ahead, scratch, &loss_sum)
        elif constant == 32:
            done = train_rows(<width_32*>NULL, rows, targets, weight, visits, n, table, steps,
                              ahead, scratch, &loss_sum)
        elif constant == 64:
            done = train_rows(<width_64*>NULL, rows, targets, weight, visits, n, table, steps,
                              ahead, scratch, &loss_sum)
        else:
            done = train_rows(<any_width*>NULL, rows, targets, weight, visits, n, table, steps,
                              ahead, scratch, &loss_sum)
        fm_restore_denormals(mode)
        free(scratch)
    return loss_sum, done


def predict(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
            const real[::1] intercept, const real[:, ::1] linear, const real[:, ::1] factors,
            Py_ssize_t n_factors, real[::1] scores, Py_ssize_t first, Py_ssize_t last):
    """Write the scores of rows first..last-1 of the CSR matrix into `scores`, shape (n_rows,)."""
    cdef CSRView rows = CSRView(&indptr[0], &indices[0], &data[0])
    cdef TableView table = TableView(<void*>&intercept[0], <void*>&linear[0, 0],
                                     <void*>&factors[0, 0], linear.shape[1], factors.shape[1],
                                     n_factors)
    cdef real* out = &scores[0]
    cdef Py_ssize_t ahead = prefetch_distance(indices.shape[0], indptr.shape[0] - 1)
    cdef real* scratch = <real*>new_scratch(2 * n_factors * sizeof(real))
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        if n_factors == 4:
            predict_rows(<width_4*>NULL, rows, first, last, table, ahead, scratch, out)
        elif n_factors == 8:
            predict_rows(<width_8*>NULL, rows, first, last, table, ahead, scratch, out)
        elif n_factors == 16:
            predict_rows(<width_16*>NULL, rows, first, last, table, ahead, scratch, out)
        elif n_factors == 32:
            predict_rows(<width_32*>NULL, rows, first, last, table, ahead, scratch, out)
        elif n_factors == 64:
            predict_rows(<width_64*>NULL, rows, first, last, table, ahead, scratch, out)
        else:
            predict_rows(<any_width*>NULL, rows, first, last, table, ahead, scratch, out)
        fm_restore_denormals(mode)
        free(scratch)


cdef void* new_scratch(size_t n_bytes) except NULL:
    """Room for s_f and q_f of one row."""
    cdef void* scratch = malloc(n_bytes + 1)                # malloc(0) may return NULL
    if scratch == NULL:
        raise MemoryError(f"No memory for a scratch buffer of {n_bytes} bytes.")
    return scratch
