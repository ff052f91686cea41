"""The few structs that every kernel takes."""

from libc.stdint cimport int32_t, int64_t

ctypedef fused real:
    float
    double


ctypedef struct CSRView:
    # Rows of a CSR matrix. Offsets are 64-bit, since non-zeros may exceed 2^31; columns are
    # 32-bit, since a parameter table of 2^31 rows would not fit in memory anyway.
    const int64_t* indptr
    const int32_t* indices
    const void* data            # of the kernel's real type


ctypedef struct TableView:
    # The parameter table of fastfm_cy/_parameters.py, which describes the layout. Pointers are
    # to the kernel's real type. A parameter's optimiser state follows it in its own row: at
    # distance 1 in the intercept and linear rows, at distance n_factors in a factor row.
    void* intercept
    void* linear
    void* factors
    Py_ssize_t linear_stride
    Py_ssize_t factor_stride
    Py_ssize_t n_factors        # as padded
