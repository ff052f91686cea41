"""The loops of anova.h under one name for both float types, and any order from 2 to 5."""

from .structs cimport real

cdef extern from "anova.h" nogil:
    void fm_extend_f(float* longer, float* value, const float* e, const float* v, float x,
                     int order, Py_ssize_t n)
    void fm_extend_d(double* longer, double* value, const double* e, const double* v, double x,
                     int order, Py_ssize_t n)
    void fm_retract_f(float* slope, float* a, const float* e, const float* v, float x, int order,
                      Py_ssize_t n)
    void fm_retract_d(double* slope, double* a, const double* e, const double* v, double x,
                      int order, Py_ssize_t n)
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


cdef inline void extend_by(real* longer, real* value, const real* e, const real* v, real x,
                           int order, Py_ssize_t n) noexcept nogil:
    if real is float:
        fm_extend_f(longer, value, e, v, x, order, n)
    else:
        fm_extend_d(longer, value, e, v, x, order, n)


cdef inline void extend(real* longer, real* value, const real* e, const real* v, real x,
                        Py_ssize_t order, Py_ssize_t n) noexcept nogil:
    """The symmetric polynomials with one feature more, and the top one's growth to `value`."""
    if order == 2:
        extend_by(longer, value, e, v, x, 2, n)
    elif order == 3:
        extend_by(longer, value, e, v, x, 3, n)
    elif order == 4:
        extend_by(longer, value, e, v, x, 4, n)
    else:
        extend_by(longer, value, e, v, x, 5, n)


cdef inline void retract_by(real* slope, real* a, const real* e, const real* v, real x, int order,
                            Py_ssize_t n) noexcept nogil:
    if real is float:
        fm_retract_f(slope, a, e, v, x, order, n)
    else:
        fm_retract_d(slope, a, e, v, x, order, n)


cdef inline void retract(real* slope, real* a, const real* e, const real* v, real x,
                         Py_ssize_t order, Py_ssize_t n) noexcept nogil:
    """The derivatives of the score by v x to `slope`; `a` goes on to the feature before."""
    if order == 2:
        retract_by(slope, a, e, v, x, 2, n)
    elif order == 3:
        retract_by(slope, a, e, v, x, 3, n)
    elif order == 4:
        retract_by(slope, a, e, v, x, 4, n)
    else:
        retract_by(slope, a, e, v, x, 5, n)


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
