"""The loops of coordinate.h under one name for both float types."""

from .structs cimport real

cdef extern from "coordinate.h" nogil:
    void fm_slopes_f(float* h, const float* q, float x, const float* v)
    void fm_slopes_d(double* h, const double* q, double x, const double* v)
    void fm_gram_f(float* H, float* r, const float* h, float error)
    void fm_gram_d(double* H, double* r, const double* h, double error)
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
