"""One pass over a CSR matrix for all that the kernels take on trust."""

from libc.math cimport isfinite

from ..common.structs cimport int32_t, int64_t, real

OUTSIDE = 1        # a column is not in the matrix
NOT_FINITE = 2     # a value is NaN or infinite
UNSORTED = 4       # columns of a row do not rise, or one is there twice
HAS_ZEROS = 8      # a zero is stored


def scan(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
         Py_ssize_t n_columns, Py_ssize_t first, Py_ssize_t last):
    """Check rows first..last-1; their offsets must be sound.

    Returns
    -------
    (flags, entry): which of the constants above hold, and the first entry that is OUTSIDE, or else
    NOT_FINITE, if any is.
    """
    cdef Py_ssize_t row, entry, column, before
    cdef Py_ssize_t outside = -1, not_finite = -1
    cdef bint unsorted = False, has_zeros = False
    with nogil:
        for row in range(first, last):
            before = -1
            for entry in range(indptr[row], indptr[row + 1]):
                column = indices[entry]
                if not 0 <= column < n_columns:
                    outside = entry
                    break
                unsorted |= column <= before
                before = column
                has_zeros |= data[entry] == 0
                if not isfinite(data[entry]) and not_finite < 0:
                    not_finite = entry
            if outside >= 0:
                break
    if outside >= 0:
        return OUTSIDE, outside
    flags = (UNSORTED if unsorted else 0) | (HAS_ZEROS if has_zeros else 0)
    return (flags | NOT_FINITE, not_finite) if not_finite >= 0 else (flags, -1)
