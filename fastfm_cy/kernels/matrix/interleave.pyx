"""Columns of a table, each encoded on its own, to the rows of one CSR matrix."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ..common.structs cimport int32_t, int64_t, real

cdef struct Part:
    const int32_t* columns      # of each row, negative for none; or of each entry, with indptr
    const void* values          # like columns; NULL: all 1
    const int64_t* indptr       # NULL: at most one entry a row


def interleave(list parts, const int64_t[::1] indptr, int32_t[::1] indices, real[::1] data,
               Py_ssize_t first, Py_ssize_t last):
    """Fill in rows first..last-1 of a CSR matrix whose indptr is known.

    Parameters
    ----------
    parts : list of (columns, values or None, indptr or None)
        int32, `data`'s type, int64. Without indptr, a part has a column, or a negative number for
        none, for each row; with it, it is a CSR matrix of its own.
    """
    cdef Part* views = <Part*>malloc((len(parts) + 1) * sizeof(Part))
    cdef Py_ssize_t row, i, n, n_parts = len(parts)
    cdef int64_t place
    cdef const int32_t[::1] columns
    cdef const real[::1] values
    cdef const int64_t[::1] starts
    if views == NULL:
        raise MemoryError
    try:
        for i in range(n_parts):  # `parts` keeps the arrays alive
            columns, values, starts = parts[i]
            views[i].columns = &columns[0] if columns.shape[0] else NULL
            views[i].values = &values[0] if values is not None and values.shape[0] else NULL
            views[i].indptr = &starts[0] if starts is not None else NULL
        with nogil:
            place = indptr[first]
            for row in range(first, last):
                for i in range(n_parts):
                    if views[i].indptr != NULL:
                        n = views[i].indptr[row + 1] - views[i].indptr[row]
                        if n:
                            put_entries(&views[i], views[i].indptr[row], n, &indices[place],
                                        &data[place])
                        place += n
                    elif views[i].columns[row] >= 0:
                        indices[place] = views[i].columns[row]
                        data[place] = (
                            1 if views[i].values == NULL else (<const real*>views[i].values)[row]
                        )
                        place += 1
    finally:
        free(views)


cdef void put_entries(const Part* part, int64_t start, Py_ssize_t n, int32_t* indices,
                      real* data) noexcept nogil:
    cdef Py_ssize_t i
    memcpy(indices, part.columns + start, n * sizeof(int32_t))
    if part.values != NULL:
        memcpy(data, <const real*>part.values + start, n * sizeof(real))
    else:
        for i in range(n):
            data[i] = 1
