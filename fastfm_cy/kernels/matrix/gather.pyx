"""Rows of a matrix copied to where other rows have left place for them."""

from libc.string cimport memcpy

from ..common.structs cimport int32_t, int64_t, real


def append(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
           const int64_t[::1] rows, int64_t[::1] places, int32_t[::1] out_indices,
           real[::1] out_data):
    """Copy row rows[i] of a CSR matrix to places[i] of the output, and move the place behind it."""
    cdef Py_ssize_t i, start, n
    with nogil:
        for i in range(rows.shape[0]):
            start = indptr[rows[i]]
            n = indptr[rows[i] + 1] - start
            memcpy(&out_indices[0] + places[i], &indices[0] + start, n * sizeof(int32_t))
            memcpy(&out_data[0] + places[i], &data[0] + start, n * sizeof(real))
            places[i] += n
