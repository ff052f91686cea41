"""The Python face of the fields."""


cdef class Fields:
    """The field of each entry of a CSR matrix, as the kernels of field-aware models take them.

    Parameters
    ----------
    of_entry : int32 array
        Beside the matrix's data, each from 0 to n_fields - 1, rising within a row.
    n_fields : int
    same_field : bool, default=True
        Whether two features of one field interact.
    """

    def __init__(self, const int32_t[::1] of_entry, Py_ssize_t n_fields, bint same_field=True):
        self.of_entry, self.n_fields, self.same_field = of_entry, n_fields, same_field
