"""The loops of subspace.h under one name for both float types."""

from ..common.structs cimport int32_t, real

cdef extern from "subspace.h" nogil:
    enum:
        TILE "FM_TILE"
        PAIRS_AHEAD "FM_PAIRS_AHEAD"
    void fm_solve_tile_f(const float* H, const float* r, float* x, float least)
    void fm_solve_tile_d(const double* H, const double* r, double* x, double least)
    void fm_pair_sums_f(const float* y, Py_ssize_t width, const int32_t* others, Py_ssize_t n,
                        const float* weights, const float* errors, float* H, float* r, float* m)
    void fm_pair_sums_d(const double* y, Py_ssize_t width, const int32_t* others, Py_ssize_t n,
                        const double* weights, const double* errors, double* H, double* r,
                        double* m)
    void fm_move_pairs_f(const float* y, Py_ssize_t width, const int32_t* others, Py_ssize_t n,
                         const float* weights, float weight, const float* move, float along,
                         float* errors)
    void fm_move_pairs_d(const double* y, Py_ssize_t width, const int32_t* others, Py_ssize_t n,
                         const double* weights, double weight, const double* move, double along,
                         double* errors)
    void fm_less_product_f(float* r, const float* columns, Py_ssize_t width, const float* x)
    void fm_less_product_d(double* r, const double* columns, Py_ssize_t width, const double* x)


cdef inline void solve_tile(const real* H, const real* r, real* x) noexcept nogil:
    """x with H x = r; 0 for what H has nothing of."""
    if real is float:
        fm_solve_tile_f(H, r, x, 1e-7)
    else:
        fm_solve_tile_d(H, r, x, 1e-15)


cdef inline void pair_sums(const real* y, Py_ssize_t width, const int32_t* others, Py_ssize_t n,
                           const real* weights, const real* errors, real* H, real* r,
                           real* m) noexcept nogil:
    """H += w y y', r += error y and, unless it is NULL, m += w y over pairs."""
    if real is float:
        fm_pair_sums_f(y, width, others, n, weights, errors, H, r, m)
    else:
        fm_pair_sums_d(y, width, others, n, weights, errors, H, r, m)


cdef inline void move_pairs(const real* y, Py_ssize_t width, const int32_t* others, Py_ssize_t n,
                            const real* weights, real weight, const real* move, real along,
                            real* errors) noexcept nogil:
    """error -= w (<y, move> + along) over pairs."""
    if real is float:
        fm_move_pairs_f(y, width, others, n, weights, weight, move, along, errors)
    else:
        fm_move_pairs_d(y, width, others, n, weights, weight, move, along, errors)


cdef inline void less_product(real* r, const real* columns, Py_ssize_t width,
                              const real* x) noexcept nogil:
    """r -= G x for eight columns of a symmetric G."""
    if real is float:
        fm_less_product_f(r, columns, width, x)
    else:
        fm_less_product_d(r, columns, width, x)
