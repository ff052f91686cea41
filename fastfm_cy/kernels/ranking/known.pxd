"""Known positives: membership tests, and draws of items that are none of a user's."""

from libc.stdint cimport int32_t, int64_t, uint64_t

cdef enum:
    MOST_REJECTIONS = 32          # in a row, before a draw counts out what is left
    MOST_PROBES = 4096            # of a list of candidates, before a draw gives up
    WORD = 64
    BITS_A_POSITIVE = 32


ctypedef struct KnownView:
    # Positives of each user: sorted, and as a filter. The filter has a power of two of bits a user,
    # BITS_A_POSITIVE or more a positive, since a search waits for memory several times; an item's
    # bit is its number modulo them. An unset bit says no; a set one says yes if the user has a bit
    # for every item, and else sends to the sorted list.
    const int64_t* indptr
    const int32_t* items
    const int64_t* words_start
    const uint64_t* words
    Py_ssize_t n_items


ctypedef struct CandidatesView:
    # What negatives are drawn from: 0..n-1, or a list of items, in which one may stand several
    # times and is drawn more often then.
    const int32_t* items          # or NULL
    Py_ssize_t n


cdef class Known:
    cdef readonly object indptr, items
    cdef readonly Py_ssize_t n_items
    cdef object _words_start, _words
    cdef KnownView view


cdef inline uint64_t mixed(uint64_t z) noexcept nogil:
    """splitmix64 (Steele, Lea & Flood, OOPSLA 2014) as a hash: 64 random bits for each z."""
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline uint64_t stream_of(uint64_t key, Py_ssize_t position) noexcept nogil:
    """The stream of random numbers that belongs to one interaction in one epoch."""
    return mixed(key + <uint64_t>position * <uint64_t>0xD1342543DE82EF95)


cdef inline uint64_t random_bits(uint64_t stream, Py_ssize_t number) noexcept nogil:
    return mixed(stream + <uint64_t>(number + 1) * <uint64_t>0x9E3779B97F4A7C15)


cdef inline Py_ssize_t random_below(uint64_t stream, Py_ssize_t number, Py_ssize_t n) noexcept nogil:
    """Number `number` of the stream, from 0..n-1, n < 2^32."""
    return <Py_ssize_t>(((random_bits(stream, number) >> 32) * <uint64_t>n) >> 32)


cdef inline const uint64_t* filter_word(const KnownView* known, Py_ssize_t user,
                                        Py_ssize_t item) noexcept nogil:
    cdef int64_t first = known.words_start[user]
    cdef int64_t mask = known.words_start[user + 1] - first - 1
    return known.words + first + ((item // WORD) & mask)


cdef inline bint is_positive(const KnownView* known, Py_ssize_t user,
                             Py_ssize_t item) noexcept nogil:
    cdef int64_t n_words = known.words_start[user + 1] - known.words_start[user]
    if not (filter_word(known, user, item)[0] >> (item % WORD)) & 1:
        return False
    if n_words * WORD >= known.n_items:
        return True
    return rank_of(known, user, item) >= 0


cdef inline Py_ssize_t rank_of(const KnownView* known, Py_ssize_t user,
                               Py_ssize_t item) noexcept nogil:
    """The item's place among the user's sorted positives, or -1."""
    cdef Py_ssize_t low = known.indptr[user], high = known.indptr[user + 1], middle
    while low < high:
        middle = (low + high) >> 1
        if known.items[middle] < item:
            low = middle + 1
        else:
            high = middle
    if low < known.indptr[user + 1] and known.items[low] == item:
        return low - known.indptr[user]
    return -1


cdef inline Py_ssize_t candidate(const CandidatesView* candidates, uint64_t stream,
                                 Py_ssize_t number) noexcept nogil:
    cdef Py_ssize_t place = random_below(stream, number, candidates.n)
    return place if candidates.items == NULL else candidates.items[place]


cdef inline Py_ssize_t next_negative(const KnownView* known, const CandidatesView* candidates,
                                     Py_ssize_t user, uint64_t stream,
                                     Py_ssize_t* number) noexcept nogil:
    """A candidate that is no positive of the user, or -1; `number` counts the draws."""
    cdef Py_ssize_t item, last = number[0] + MOST_REJECTIONS
    while number[0] < last:
        item = candidate(candidates, stream, number[0])
        number[0] += 1
        if not is_positive(known, user, item):
            return item
    number[0] += 1
    return counted_out(known, candidates, user, stream, number[0] - 1)


cdef Py_ssize_t counted_out(const KnownView* known, const CandidatesView* candidates,
                            Py_ssize_t user, uint64_t stream, Py_ssize_t number) noexcept nogil
