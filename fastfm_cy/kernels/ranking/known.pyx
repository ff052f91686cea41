"""Known positives of every user, as the samplers of negatives ask for them."""

import numpy as np


cdef class Known:
    """Positives, sorted by user and item.

    Parameters
    ----------
    indptr : int64 array of shape (n_users + 1,)
    items : int32 array
        Of each user, increasing.
    n_items : int
    """

    def __init__(self, const int64_t[::1] indptr, const int32_t[::1] items, Py_ssize_t n_items):
        cdef Py_ssize_t n_users = indptr.shape[0] - 1, user, entry
        cdef int64_t[::1] start = np.zeros(n_users + 1, dtype=np.int64)
        cdef int64_t most = 1, n_words
        cdef uint64_t[::1] words
        while most * WORD < n_items:
            most *= 2
        for user in range(n_users):
            n_words = 1
            while n_words < most and n_words * WORD < (
                    BITS_A_POSITIVE * (indptr[user + 1] - indptr[user])):
                n_words *= 2
            start[user + 1] = start[user] + n_words
        words = np.zeros(max(1, start[n_users]), dtype=np.uint64)
        for user in range(n_users):
            n_words = start[user + 1] - start[user]
            for entry in range(indptr[user], indptr[user + 1]):
                words[start[user] + ((items[entry] // WORD) & (n_words - 1))] |= (
                    <uint64_t>1 << (items[entry] % WORD))
        self.indptr, self.items, self.n_items = np.asarray(indptr), np.asarray(items), n_items
        self._words_start, self._words = np.asarray(start), np.asarray(words)
        self.view = KnownView(&indptr[0], NULL, &start[0], &words[0], n_items)
        if items.shape[0]:
            self.view.items = &items[0]

    @property
    def n_users(self):
        return len(self.indptr) - 1

    def __reduce__(self):
        return Known, (self.indptr, self.items, self.n_items)

    def contains(self, const int64_t[::1] users, const int64_t[::1] items):
        """Which of the pairs are positives."""
        cdef Py_ssize_t i
        cdef unsigned char[::1] found = np.empty(users.shape[0], dtype=np.uint8)
        with nogil:
            for i in range(users.shape[0]):
                found[i] = is_positive(&self.view, users[i], items[i])
        return np.asarray(found).astype(bool)

    def negatives(self, const int64_t[::1] users, uint64_t key, const int32_t[::1] candidates=None,
                  Py_ssize_t first=0):
        """Draw a negative for each of `users`, as training does; -1 where there is none."""
        cdef CandidatesView drawn_from = CandidatesView(NULL, self.n_items)
        cdef Py_ssize_t i, number
        cdef int64_t[::1] items = np.empty(users.shape[0], dtype=np.int64)
        if candidates is not None:
            drawn_from = CandidatesView(&candidates[0], candidates.shape[0])
        with nogil:
            for i in range(users.shape[0]):
                number = 0
                items[i] = next_negative(&self.view, &drawn_from, users[i],
                                         stream_of(key, first + i), &number)
        return np.asarray(items)


cdef Py_ssize_t counted_out(const KnownView* known, const CandidatesView* candidates,
                            Py_ssize_t user, uint64_t stream, Py_ssize_t number) noexcept nogil:
    """A negative of a user who has nearly everything: exact where all items are candidates; in a
    list, the first from a random place on, if it is near."""
    cdef Py_ssize_t first = known.indptr[user], n = known.indptr[user + 1] - first
    cdef Py_ssize_t place, low, high, middle, _probe, item
    if candidates.items == NULL:
        if n >= candidates.n:
            return -1
        # The item with `place` negatives below it: its number is place + the positives below it.
        place = random_below(stream, number, candidates.n - n)
        low, high = 0, n
        while low < high:
            middle = (low + high) >> 1
            if known.items[first + middle] - middle <= place:
                low = middle + 1
            else:
                high = middle
        return place + low
    place = random_below(stream, number, candidates.n)
    for _probe in range(min(candidates.n, MOST_PROBES)):
        item = candidates.items[place]
        if not is_positive(known, user, item):
            return item
        place = place + 1 if place + 1 < candidates.n else 0
    return -1


def deal(const int64_t[::1] order, const int32_t[::1] items, const int32_t[::1] part_of_item,
         Py_ssize_t n_parts):
    """The interactions of `order`, in that order, by the part of their item: a list of arrays."""
    cdef Py_ssize_t n = order.shape[0], i, part
    cdef int64_t[::1] counts = np.zeros(n_parts + 1, dtype=np.int64)
    cdef unsigned char[::1] parts = np.empty(n, dtype=np.uint8)
    cdef int64_t[::1] dealt = np.empty(n, dtype=np.int64)
    with nogil:
        for i in range(n):
            parts[i] = <unsigned char>part_of_item[items[order[i]]]
            counts[parts[i] + 1] += 1
        for part in range(n_parts):
            counts[part + 1] += counts[part]
        for i in range(n):
            dealt[counts[parts[i]]] = order[i]
            counts[parts[i]] += 1
    starts = [0, *np.asarray(counts)[:n_parts]]
    return [np.asarray(dealt)[starts[part] : starts[part + 1]] for part in range(n_parts)]
