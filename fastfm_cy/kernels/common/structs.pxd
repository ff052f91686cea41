"""The few structs that every kernel takes. Pointers without a type are to the kernel's real type."""

from libc.stdint cimport int32_t, int64_t, uint32_t

ctypedef fused real:
    float
    double


ctypedef struct CSRView:
    # Rows of a CSR matrix. Offsets are 64-bit, since non-zeros may exceed 2^31; columns are
    # 32-bit, since a parameter table of 2^31 rows would not fit in memory anyway.
    const int64_t* indptr
    const int32_t* indices
    const void* data
    const int32_t* fields       # of the entries, or NULL
    Py_ssize_t longest          # non-zeros of the longest row that is visited, if a model needs it
    # The array of columns may be the user's, who may write to it while it is read. So rows at hand
    # are copied to a room of the kernel's own, with what lies outside the table taken for its last
    # row, and models read columns[entry].
    const int32_t* columns
    uint32_t last_column


ctypedef struct TableView:
    # The parameter table of fastfm_cy/_parameters.py, which describes the layout. Each output
    # (class) has a block of its own in a feature's row; a view starts at one of them. Within a
    # block, the optimiser state follows the parameters: at distance 1 in the intercept and
    # linear blocks, at distance n_weights in a factor block.
    void* intercept
    void* linear
    void* factors
    Py_ssize_t linear_stride    # from a feature to the next
    Py_ssize_t factor_stride
    Py_ssize_t n_factors        # of a vector, as padded
    Py_ssize_t n_weights        # of all a feature's vectors, as padded
    Py_ssize_t n_vectors
    Py_ssize_t degree           # the most features that interact
    Py_ssize_t n_outputs
    Py_ssize_t intercept_block  # from an output to the next
    Py_ssize_t linear_block
    Py_ssize_t factor_block
    Py_ssize_t n_fields         # of a field-aware model
    bint same_field             # whether two features of one field interact


ctypedef struct Strengths:
    # Of regularisation: four numbers a group of features, l1 and l2 of the linear weight, l1 and
    # l2 of the factors. Without groups all features are in the first.
    const int32_t* group
    const void* values
