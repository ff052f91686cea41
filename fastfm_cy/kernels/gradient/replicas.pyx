"""What training in several threads needs besides the epoch kernels.

Threads that update the same frequent features fight over their cache lines. So each thread has a
copy of those features' parameters, under column numbers of its own, and every so often the copies
are merged. Copies lie in the table one behind the other, the master copy last.
"""

from ..common.structs cimport int32_t, int64_t, real, uint32_t


def count(const int32_t[::1] indices, int64_t[::1] counts):
    """Add to counts[j] how often j occurs."""
    cdef Py_ssize_t entry
    cdef uint32_t column, last = <uint32_t>(counts.shape[0] - 1)
    with nogil:
        for entry in range(indices.shape[0]):
            column = <uint32_t>indices[entry]               # as column_of has it
            counts[column if column < last else last] += 1


def rank(const int64_t[::1] counts, int64_t[::1] places, int32_t[::1] out):
    """Write to `out` the rank of each feature by falling count, of equals the first first.

    `places` holds zeros, max(counts) + 1 of them.
    """
    cdef Py_ssize_t j, count, n
    cdef int64_t place = 0
    with nogil:
        for j in range(counts.shape[0]):
            places[counts[j]] += 1
        for count in range(places.shape[0] - 1, -1, -1):
            n = places[count]
            places[count] = place
            place += n
        for j in range(counts.shape[0]):
            out[j] = <int32_t>places[counts[j]]
            places[counts[j]] += 1


def renumber(const int64_t[::1] indptr, const int32_t[::1] indices, const int32_t[::1] rank,
             const int32_t[::1] shard_of_row, Py_ssize_t head, Py_ssize_t n_copies,
             int32_t[::1] out, Py_ssize_t first, Py_ssize_t last_row):
    """Write to `out` the table row of every entry of the rows first..last_row-1 of a CSR matrix.

    `rank` numbers the features by falling frequency. The first `head` ranks go to the copy of the
    row's shard, all others to the rows behind the `n_copies` copies.
    """
    cdef Py_ssize_t row, entry
    cdef int32_t label, copy, tail = <int32_t>((n_copies - 1) * head)
    cdef uint32_t column, last = <uint32_t>(rank.shape[0] - 1)
    with nogil:
        for row in range(first, last_row):
            copy = <int32_t>(shard_of_row[row] * head)
            for entry in range(indptr[row], indptr[row + 1]):
                column = <uint32_t>indices[entry]           # as column_of has it
                label = rank[column if column < last else last]
                out[entry] = label + (copy if label < head else tail)


def merge(real[:, ::1] table, Py_ssize_t n_weights, Py_ssize_t head, Py_ssize_t n_shards,
          const real[::1] shares, const real[::1] state_shares, Py_ssize_t first,
          Py_ssize_t last):
    """Merge the copies of rows first..last-1 of the head into the master, and back, in place.

    Parameters
    ----------
    table : shape (n_rows, n_weights * (1 + number of state slots))
        Linear or factors, a row an output of a feature.
    n_weights : int
        Numbers in a row that are weights; the rest is state.
    head : int
        Rows of which every shard has a copy.
    shares : shape (head,)
        How far a row's weights move, as a share of the sum of their copies' moves.
    state_shares : shape (number of state slots,)
        The same for the state.
    """
    cdef Py_ssize_t row, shard, f, stride = table.shape[1]
    cdef real* start = &table[0, 0]
    cdef real* master
    cdef real* gathered
    cdef real* copy
    cdef real share
    with nogil:
        for row in range(first, last):
            # The sum of the copies gathers in the first, which leaves the master as it was.
            master = start + (n_shards * head + row) * stride
            gathered = start + row * stride
            for shard in range(1, n_shards):
                copy = start + (shard * head + row) * stride
                for f in range(stride):
                    gathered[f] = gathered[f] + copy[f]
            share = shares[row]
            for f in range(n_weights):
                master[f] = master[f] + share * (gathered[f] - n_shards * master[f])
            for f in range(n_weights, stride):
                share = state_shares[f // n_weights - 1]
                master[f] = master[f] + share * (gathered[f] - n_shards * master[f])
            for shard in range(n_shards):
                copy = start + (shard * head + row) * stride
                for f in range(stride):
                    copy[f] = master[f]
