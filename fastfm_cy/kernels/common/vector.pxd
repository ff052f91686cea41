"""The loops of vector.h under one name for both float types."""

from .structs cimport int32_t, real, uint32_t

cdef enum:
    CACHE_LINE = 64               # bytes

cdef extern from "vector.h" nogil:
    void FM_PREFETCH(const void* address)
    void FM_PREFETCH_OWN(const void* address)
    unsigned int fm_flush_denormals()
    void fm_restore_denormals(unsigned int before)
    void fm_clamp(int32_t* to, const int32_t* start, Py_ssize_t n, uint32_t last)
    void fm_clear_f(float* sums, float* squares, Py_ssize_t n)
    void fm_clear_d(double* sums, double* squares, Py_ssize_t n)
    void fm_accumulate_f(float* sums, float* squares, const float* v, float x, Py_ssize_t n)
    void fm_accumulate_d(double* sums, double* squares, const double* v, double x, Py_ssize_t n)
    void fm_accumulate_two_f(float* sums, float* squares, const float* u, float x, const float* v,
                             float y, Py_ssize_t n)
    void fm_accumulate_two_d(double* sums, double* squares, const double* u, double x,
                             const double* v, double y, Py_ssize_t n)
    float fm_interactions_vector_f(const float* sums, const float* squares, Py_ssize_t n)
    double fm_interactions_d(const double* sums, const double* squares, Py_ssize_t n)
    float fm_dot_f(const float* u, const float* v, Py_ssize_t n)
    double fm_dot_d(const double* u, const double* v, Py_ssize_t n)
    void fm_scale_f(float* to, const float* v, float x, Py_ssize_t n)
    void fm_scale_d(double* to, const double* v, double x, Py_ssize_t n)
    void fm_add_scaled_f(float* to, const float* v, float x, Py_ssize_t n)
    void fm_add_scaled_d(double* to, const double* v, double x, Py_ssize_t n)
    void fm_sgd_f(float* theta, const float* direction, float along, float own, float rate,
                  Py_ssize_t n)
    void fm_sgd_d(double* theta, const double* direction, double along, double own, double rate,
                  Py_ssize_t n)
    void fm_adagrad_f(float* theta, float* squares, const float* direction, float along, float own,
                      float rate, Py_ssize_t n)
    void fm_adagrad_vector_f(float* theta, float* squares, const float* direction, float along,
                             float own, float rate, Py_ssize_t n)
    void fm_adagrad_d(double* theta, double* squares, const double* direction, double along,
                      double own, double rate, Py_ssize_t n)
    void fm_adam_vector_f(float* theta, float* mean, float* square, const float* direction,
                          float along, float own, float beta1, float beta2, float rate,
                          float epsilon, float keep, Py_ssize_t n)
    void fm_adam_d(double* theta, double* mean, double* square, const double* direction,
                   double along, double own, double beta1, double beta2, double rate,
                   double epsilon, double keep, Py_ssize_t n)
    void fm_ftrl_vector_f(float* theta, float* z, float* squares, const float* direction,
                          float along, float own, float l1, float stiffness, float per_rate,
                          Py_ssize_t n)
    void fm_ftrl_d(double* theta, double* z, double* squares, const double* direction,
                   double along, double own, double l1, double stiffness, double per_rate,
                   Py_ssize_t n)
    void fm_shrink_f(float* theta, float by, Py_ssize_t n)
    void fm_shrink_d(double* theta, double by, Py_ssize_t n)
    void fm_shrink_by_root_f(float* theta, const float* squares, float by, Py_ssize_t n)
    void fm_shrink_by_root_d(double* theta, const double* squares, double by, Py_ssize_t n)


cdef inline void clear(real* sums, real* squares, Py_ssize_t n) noexcept nogil:
    if real is float:
        fm_clear_f(sums, squares, n)
    else:
        fm_clear_d(sums, squares, n)


cdef inline void accumulate(real* sums, real* squares, const real* v, real x,
                            Py_ssize_t n) noexcept nogil:
    """s_f += v_f x, q_f += (v_f x)^2."""
    if real is float:
        fm_accumulate_f(sums, squares, v, x, n)
    else:
        fm_accumulate_d(sums, squares, v, x, n)


cdef inline void accumulate_two(real* sums, real* squares, const real* u, real x, const real* v,
                                real y, Py_ssize_t n) noexcept nogil:
    """The same for two features at once, which halves the chain of additions."""
    if real is float:
        fm_accumulate_two_f(sums, squares, u, x, v, y, n)
    else:
        fm_accumulate_two_d(sums, squares, u, x, v, y, n)


cdef inline real interactions(const real* sums, const real* squares, Py_ssize_t n) noexcept nogil:
    """1/2 sum_f (s_f^2 - q_f)."""
    if real is float:
        return fm_interactions_vector_f(sums, squares, n)
    else:
        return fm_interactions_d(sums, squares, n)


cdef inline real dot(const real* u, const real* v, Py_ssize_t n) noexcept nogil:
    if real is float:
        return fm_dot_f(u, v, n)
    else:
        return fm_dot_d(u, v, n)


cdef inline void scale(real* to, const real* v, real x, Py_ssize_t n) noexcept nogil:
    """to = v x."""
    if real is float:
        fm_scale_f(to, v, x, n)
    else:
        fm_scale_d(to, v, x, n)


cdef inline void add_scaled(real* to, const real* v, real x, Py_ssize_t n) noexcept nogil:
    """to += v x."""
    if real is float:
        fm_add_scaled_f(to, v, x, n)
    else:
        fm_add_scaled_d(to, v, x, n)
