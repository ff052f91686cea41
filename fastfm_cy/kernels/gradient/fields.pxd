"""The fields of a matrix's entries."""

from ..common.structs cimport int32_t


cdef class Fields:
    cdef const int32_t[::1] of_entry
    cdef Py_ssize_t n_fields
    cdef bint same_field
