"""What training in several threads needs besides the epoch kernels.

Threads that update the same frequent features fight over their cache lines. So each thread has a
copy of those features' parameters, under column numbers of its own, and every so often the copies
are merged. Copies lie in the table one behind the other, the master copy last.
"""

from .structs cimport int32_t, int64_t, real


def count(const int32_t[::1] indices, int64_t[::1] counts):
    """Add to counts[j] how often j occurs."""
    cdef Py_ssize_t entry
    with nogil:
        for entry in range(indices.shape[0]):
            counts[indices[entry]] += 1


def renumber(const int64_t[::1] indptr, const int32_t[::1] indices, const int32_t[::1] rank,
             const int32_t[::1] shard_of_row, Py_ssize_t head, Py_ssize_t n_copies,
             int32_t[::1] out):
    """Write to `out` the table row of every entry of a CSR matrix.

    `rank` numbers the features by falling frequency. The first `head` ranks go to the copy of the
    row's shard, all others to the rows behind the `n_copies` copies.
    """
    cdef Py_ssize_t row, entry, n_rows = indptr.shape[0] - 1
    cdef int32_t label, copy, tail = <int32_t>((n_copies - 1) * head)
    with nogil:
        for row in range(n_rows):
            copy = <int32_t>(shard_of_row[row] * head)
            for entry in range(indptr[row], indptr[row + 1]):
                label = rank[indices[entry]]
                out[entry] = label + (copy if label < head else tail)


cdef void merge_row(real* table, Py_ssize_t stride, Py_ssize_t n_weights, Py_ssize_t head,
                    Py_ssize_t n_shards, Py_ssize_t row, real share) noexcept nogil:
    """Merge one row of all copies into the master, and back.

    The first n_weights numbers move by `share` of the sum of their copies' moves, the optimiser
    state behind them by all of it."""
    cdef Py_ssize_t shard, f
    cdef real* master = table + (n_shards * head + row) * stride
    cdef real* first = table + row * stride
    cdef real* copy
    # The sum of the copies gathers in the first, which leaves the master's start value in place.
    for shard in range(1, n_shards):
        copy = table + (shard * head + row) * stride
        for f in range(stride):
            first[f] = first[f] + copy[f]
    for f in range(n_weights):
        master[f] = master[f] + share * (first[f] - n_shards * master[f])
    for f in range(n_weights, stride):
        master[f] = master[f] + (first[f] - n_shards * master[f])
    for shard in range(n_shards):
        copy = table + (shard * head + row) * stride
        for f in range(stride):
            copy[f] = master[f]


def merge(real[:, ::1] linear, real[:, ::1] factors, Py_ssize_t n_factors, Py_ssize_t head,
          Py_ssize_t n_shards, const real[:, ::1] shares, Py_ssize_t first, Py_ssize_t last):
    """Merge the copies of features first..last-1 of the head, in place.

    shares[j] holds the share of the sum of the copies' moves that the master makes, for the linear
    weight and for the factors of feature j. State adds up.
    """
    cdef Py_ssize_t row
    cdef real* w = &linear[0, 0]
    cdef real* v = &factors[0, 0]
    with nogil:
        for row in range(first, last):
            merge_row(w, linear.shape[1], 1, head, n_shards, row, shares[row, 0])
            merge_row(v, factors.shape[1], n_factors, head, n_shards, row, shares[row, 1])
