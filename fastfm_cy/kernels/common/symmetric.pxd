"""The loops of symmetric.h under one name for both float types, and any order from 2 to 5."""

from .structs cimport int32_t, real

cdef extern from "symmetric.h" nogil:
    void fm_row_levels_f(float* levels, Py_ssize_t stride, float* top, const float* factors,
                         Py_ssize_t factor_stride, const int32_t* indices, const float* data,
                         Py_ssize_t n, int order, Py_ssize_t k)
    void fm_row_levels_d(double* levels, Py_ssize_t stride, double* top, const double* factors,
                         Py_ssize_t factor_stride, const int32_t* indices, const double* data,
                         Py_ssize_t n, int order, Py_ssize_t k)
    void fm_row_slopes_f(float* slopes, float* a, const float* levels, Py_ssize_t stride,
                         const float* factors, Py_ssize_t factor_stride, const int32_t* indices,
                         const float* data, Py_ssize_t count, int order, Py_ssize_t k)
    void fm_row_slopes_d(double* slopes, double* a, const double* levels, Py_ssize_t stride,
                         const double* factors, Py_ssize_t factor_stride, const int32_t* indices,
                         const double* data, Py_ssize_t count, int order, Py_ssize_t k)
    void fm_slopes_of_order_f(float* h, const float* e, float x, const float* v, int order,
                              bint shared)
    void fm_slopes_of_order_d(double* h, const double* e, double x, const double* v, int order,
                              bint shared)
    void fm_move_levels_f(float* e, float x, const float* v, const float* d, int order)
    void fm_move_levels_d(double* e, double x, const double* v, const double* d, int order)
    float fm_total_f(const float* values, Py_ssize_t n)
    double fm_total_d(const double* values, Py_ssize_t n)
    void fm_fill_f(float* values, float number, Py_ssize_t n)
    void fm_fill_d(double* values, double number, Py_ssize_t n)
    float fm_inner_f(const float* a, const float* b, Py_ssize_t n)
    double fm_inner_d(const double* a, const double* b, Py_ssize_t n)


cdef inline void levels_by(real* levels, Py_ssize_t stride, real* top, const real* factors,
                           Py_ssize_t factor_stride, const int32_t* indices, const real* data,
                           Py_ssize_t n, int order, Py_ssize_t k) noexcept nogil:
    if real is float:
        fm_row_levels_f(levels, stride, top, factors, factor_stride, indices, data, n, order, k)
    else:
        fm_row_levels_d(levels, stride, top, factors, factor_stride, indices, data, n, order, k)


cdef inline void row_levels(real* levels, Py_ssize_t stride, real* top, const real* factors,
                            Py_ssize_t factor_stride, const int32_t* indices, const real* data,
                            Py_ssize_t n, Py_ssize_t order, Py_ssize_t k) noexcept nogil:
    """The levels below `order` of k factors after each of a row's n features, and the top's sum."""
    if order == 2:
        levels_by(levels, stride, top, factors, factor_stride, indices, data, n, 2, k)
    elif order == 3:
        levels_by(levels, stride, top, factors, factor_stride, indices, data, n, 3, k)
    elif order == 4:
        levels_by(levels, stride, top, factors, factor_stride, indices, data, n, 4, k)
    else:
        levels_by(levels, stride, top, factors, factor_stride, indices, data, n, 5, k)


cdef inline void slopes_of_row_by(real* slopes, real* a, const real* levels, Py_ssize_t stride,
                                  const real* factors, Py_ssize_t factor_stride,
                                  const int32_t* indices, const real* data, Py_ssize_t count,
                                  int order, Py_ssize_t k) noexcept nogil:
    if real is float:
        fm_row_slopes_f(slopes, a, levels, stride, factors, factor_stride, indices, data, count,
                        order, k)
    else:
        fm_row_slopes_d(slopes, a, levels, stride, factors, factor_stride, indices, data, count,
                        order, k)


cdef inline void row_slopes(real* slopes, real* a, const real* levels, Py_ssize_t stride,
                            const real* factors, Py_ssize_t factor_stride,
                            const int32_t* indices, const real* data, Py_ssize_t count,
                            Py_ssize_t order, Py_ssize_t k) noexcept nogil:
    """The derivatives of the score by the p = v x of 4 features, or 1, given the levels before
    them; `a`, those by the levels behind them, moves on."""
    if order == 2:
        slopes_of_row_by(slopes, a, levels, stride, factors, factor_stride, indices, data, count, 2, k)
    elif order == 3:
        slopes_of_row_by(slopes, a, levels, stride, factors, factor_stride, indices, data, count, 3, k)
    elif order == 4:
        slopes_of_row_by(slopes, a, levels, stride, factors, factor_stride, indices, data, count, 4, k)
    else:
        slopes_of_row_by(slopes, a, levels, stride, factors, factor_stride, indices, data, count, 5, k)


cdef inline real total(const real* values, Py_ssize_t n) noexcept nogil:
    if real is float:
        return fm_total_f(values, n)
    else:
        return fm_total_d(values, n)


cdef inline void fill(real* values, real number, Py_ssize_t n) noexcept nogil:
    if real is float:
        fm_fill_f(values, number, n)
    else:
        fm_fill_d(values, number, n)


cdef inline real inner(const real* a, const real* b, Py_ssize_t n) noexcept nogil:
    if real is float:
        return fm_inner_f(a, b, n)
    else:
        return fm_inner_d(a, b, n)


cdef inline void slopes_by(real* h, const real* e, real x, const real* v, int order,
                           bint shared) noexcept nogil:
    if real is float:
        fm_slopes_of_order_f(h, e, x, v, order, shared)
    else:
        fm_slopes_of_order_d(h, e, x, v, order, shared)


cdef inline void slopes_of_order(real* h, const real* e, real x, const real* v, Py_ssize_t order,
                                 bint shared) noexcept nogil:
    """h, the derivatives of a row's score by eight factors v of a feature of value x."""
    if order == 2:
        slopes_by(h, e, x, v, 2, False)
    elif order == 3:
        slopes_by(h, e, x, v, 3, shared)
    elif order == 4:
        slopes_by(h, e, x, v, 4, shared)
    else:
        slopes_by(h, e, x, v, 5, shared)


cdef inline void move_by(real* e, real x, const real* v, const real* d, int order) noexcept nogil:
    if real is float:
        fm_move_levels_f(e, x, v, d, order)
    else:
        fm_move_levels_d(e, x, v, d, order)


cdef inline void move_levels(real* e, real x, const real* v, const real* d,
                             Py_ssize_t order) noexcept nogil:
    """e after a move of the eight factors v by d."""
    if order == 2:
        move_by(e, x, v, d, 2)
    elif order == 3:
        move_by(e, x, v, d, 3)
    elif order == 4:
        move_by(e, x, v, d, 4)
    else:
        move_by(e, x, v, d, 5)
