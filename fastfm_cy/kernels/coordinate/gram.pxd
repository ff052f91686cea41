"""The loops of gram.h under one name for both float types."""

from ..common.structs cimport int32_t, real

cdef extern from "gram.h" nogil:
    void fm_slopes_f(float* h, const float* q, float x, const float* v)
    void fm_slopes_d(double* h, const double* q, double x, const double* v)
    void fm_prefetch_line(const void* line, size_t size)
    void fm_gram_column_f(const float* lines, Py_ssize_t width, const int32_t* indices,
                          const float* data, Py_ssize_t n, Py_ssize_t n_readable, const float* v,
                          bint is_weighted, float* H, float* r)
    void fm_gram_column_d(const double* lines, Py_ssize_t width, const int32_t* indices,
                          const double* data, Py_ssize_t n, Py_ssize_t n_readable,
                          const double* v, bint is_weighted, double* H, double* r)
    void fm_gram_f(float* H, float* r, const float* h, float error)
    void fm_gram_d(double* H, double* r, const double* h, double error)
    float fm_interact_f(const int32_t* indices, const float* data, Py_ssize_t n,
                        const float* factors, Py_ssize_t stride, float* q)
    double fm_interact_d(const int32_t* indices, const double* data, Py_ssize_t n,
                         const double* factors, Py_ssize_t stride, double* q)
    float fm_dot_eight_f(const float* a, const float* b)
    double fm_dot_eight_d(const double* a, const double* b)
    void fm_add_eight_f(float* q, float x, const float* d)
    void fm_add_eight_d(double* q, double x, const double* d)


cdef inline void slopes(real* h, const real* q, real x, const real* v) noexcept nogil:
    """h = x (q - x v)."""
    if real is float:
        fm_slopes_f(h, q, x, v)
    else:
        fm_slopes_d(h, q, x, v)


cdef inline void gram(real* H, real* r, const real* h, real error) noexcept nogil:
    """H += h h', r += error h."""
    if real is float:
        fm_gram_f(H, r, h, error)
    else:
        fm_gram_d(H, r, h, error)


cdef inline void gram_column(const real* lines, Py_ssize_t width, const int32_t* indices,
                             const real* data, Py_ssize_t n, Py_ssize_t n_readable, const real* v,
                             bint is_weighted, real* H, real* r) noexcept nogil:
    """H = sum h h' and r = sum error h over the rows of a column, each with its slopes h."""
    if real is float:
        fm_gram_column_f(lines, width, indices, data, n, n_readable, v, is_weighted, H, r)
    else:
        fm_gram_column_d(lines, width, indices, data, n, n_readable, v, is_weighted, H, r)


cdef inline real interact(const int32_t* indices, const real* data, Py_ssize_t n,
                          const real* factors, Py_ssize_t stride, real* q) noexcept nogil:
    """The interactions of eight factors among a row's n features; their sums to q."""
    if real is float:
        return fm_interact_f(indices, data, n, factors, stride, q)
    else:
        return fm_interact_d(indices, data, n, factors, stride, q)


cdef inline real dot_eight(const real* a, const real* b) noexcept nogil:
    if real is float:
        return fm_dot_eight_f(a, b)
    else:
        return fm_dot_eight_d(a, b)


cdef inline void add_eight(real* q, real x, const real* d) noexcept nogil:
    """q += x d."""
    if real is float:
        fm_add_eight_f(q, x, d)
    else:
        fm_add_eight_d(q, x, d)
