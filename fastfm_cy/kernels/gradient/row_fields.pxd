"""Which fields a row has."""

from ..common.structs cimport CSRView

ctypedef struct Present:
    # By rising number, and as runs of numbers without a gap, times a length. The arrays follow the
    # struct in memory.
    Py_ssize_t n
    Py_ssize_t n_runs
    bint is_full                  # whether all fields are there
    Py_ssize_t* number
    Py_ssize_t* counts            # entries of each
    Py_ssize_t* starts            # of each run,
    Py_ssize_t* ends              # and where it ends


cdef inline Py_ssize_t present_size(Py_ssize_t n_fields) noexcept nogil:
    """Room for it, in numbers of 4 bytes at least; an even number, which keeps doubles aligned."""
    return 2 * (4 * n_fields + (sizeof(Present) + 7) // 8)


cdef inline Present* present_fields(const CSRView* rows, Py_ssize_t row, Py_ssize_t n_fields,
                                    Py_ssize_t length, void* room) noexcept nogil:
    """List the fields of a row, whose entries are sorted by them."""
    cdef Present* p = <Present*>room
    cdef Py_ssize_t entry, field, n = 0, n_runs = 0
    p.number = <Py_ssize_t*>(p + 1)
    p.counts = p.number + n_fields
    p.starts = p.counts + n_fields
    p.ends = p.starts + n_fields
    for entry in range(rows.indptr[row], rows.indptr[row + 1]):
        field = rows.fields[entry]
        if n > 0 and p.number[n - 1] == field:
            p.counts[n - 1] += 1
            continue
        if n_runs > 0 and p.ends[n_runs - 1] == field * length:
            p.ends[n_runs - 1] += length
        else:
            p.starts[n_runs] = field * length
            p.ends[n_runs] = field * length + length
            n_runs += 1
        p.number[n] = field
        p.counts[n] = 1
        n += 1
    p.n, p.n_runs, p.is_full = n, n_runs, n == n_fields
    return p
