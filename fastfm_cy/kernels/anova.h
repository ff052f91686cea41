/* The inner loops of higher-order machines, for float and double. e holds the elementary symmetric
   polynomials e_1 .. e_(order-1) of the p = v x seen so far, a level of n numbers each; e_0 = 1.
   `order` is a compile-time constant where these are called, so that the loops over levels vanish. */
#ifndef FASTFM_CY_ANOVA_H
#define FASTFM_CY_ANOVA_H

#include "vector.h"

#define FM_DEFINE_ANOVA(real, suffix)                                                             \
  /* One feature more: e_m' = e_m + p e_(m-1), and to the value, e_order, p e_(order-1). */       \
  FM_INLINE void fm_extend_##suffix(real *FM_RESTRICT longer, real *FM_RESTRICT value,            \
                                    const real *FM_RESTRICT e, const real *FM_RESTRICT v, real x, \
                                    const int order, Py_ssize_t n) {                              \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      const real p = v[f] * x;                                                                    \
      real below = 1;                                                                             \
      for (int m = 0; m < order - 1; m++) {                                                       \
        const real level = e[m * n + f];                                                          \
        longer[m * n + f] = level + p * below;                                                    \
        below = level;                                                                            \
      }                                                                                           \
      value[f] += p * below;                                                                      \
    }                                                                                             \
  }                                                                                               \
  /* From the last feature to the first. e is that of the features before this one; a holds the   \
     derivatives of the score by the levels behind it, a_1 .. a_(order-1), and a_order = 1. The   \
     derivative by p is sum_m e_(m-1) a_m; then the levels before this one: a_m += p a_(m+1). */  \
  FM_INLINE void fm_retract_##suffix(real *FM_RESTRICT slope, real *FM_RESTRICT a,                \
                                     const real *FM_RESTRICT e, const real *FM_RESTRICT v,        \
                                     real x, const int order, Py_ssize_t n) {                     \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      const real p = v[f] * x;                                                                    \
      real here = a[f], total = here;                                                             \
      for (int m = 0; m < order - 1; m++) {                                                       \
        const real above = m + 2 < order ? a[(m + 1) * n + f] : 1;                                \
        total += e[m * n + f] * above;                                                            \
        a[m * n + f] = here + p * above;                                                          \
        here = above;                                                                             \
      }                                                                                           \
      slope[f] = total;                                                                           \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE real fm_total_##suffix(const real *FM_RESTRICT values, Py_ssize_t n) {                \
    real total = 0;                                                                               \
    FM_SIMD_SUM for (Py_ssize_t f = 0; f < n; f++) total += values[f];                            \
    return total;                                                                                 \
  }                                                                                               \
  FM_INLINE void fm_fill_##suffix(real *FM_RESTRICT values, real with, Py_ssize_t n) {            \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) values[f] = with;                                  \
  }                                                                                               \
  FM_INLINE real fm_inner_##suffix(const real *FM_RESTRICT a, const real *FM_RESTRICT b,          \
                                   Py_ssize_t n) {                                                \
    real total = 0;                                                                               \
    FM_SIMD_SUM for (Py_ssize_t f = 0; f < n; f++) total += a[f] * b[f];                          \
    return total;                                                                                 \
  }

/* The same for coordinate solvers, eight factors at a time, with e of the whole row. */
#define FM_DEFINE_ANOVA_EIGHTS(real, suffix)                                                      \
  /* h = x r_(order-1), or x (r_1 + .. + r_(order-1)) if shared: the derivatives of the score by  \
     v. r_m = e_m - p r_(m-1) is e_m without the feature. */                                      \
  FM_INLINE void fm_slopes_of_order_##suffix(real *FM_RESTRICT h, const real *FM_RESTRICT e,      \
                                             real x, const real *FM_RESTRICT v, const int order,  \
                                             const int shared) {                                  \
    FM_SIMD for (int f = 0; f < 8; f++) {                                                         \
      const real p = x * v[f];                                                                    \
      real rest = 1, sum = 0;                                                                     \
      for (int m = 0; m < order - 1; m++) {                                                       \
        rest = e[m * 8 + f] - p * rest;                                                           \
        sum = shared ? sum + rest : rest;                                                         \
      }                                                                                           \
      h[f] = x * sum;                                                                             \
    }                                                                                             \
  }                                                                                               \
  /* The levels after v has moved by d: e_m += d x r_(m-1). */                                    \
  FM_INLINE void fm_move_levels_##suffix(real *FM_RESTRICT e, real x, const real *FM_RESTRICT v,  \
                                         const real *FM_RESTRICT d, const int order) {            \
    FM_SIMD for (int f = 0; f < 8; f++) {                                                         \
      const real p = x * v[f], move = x * d[f];                                                   \
      real rest = 1;                                                                              \
      for (int m = 0; m < order - 1; m++) {                                                       \
        const real level = e[m * 8 + f];                                                          \
        e[m * 8 + f] = level + move * rest;                                                       \
        rest = level - p * rest;                                                                  \
      }                                                                                           \
    }                                                                                             \
  }

FM_DEFINE_ANOVA(float, f)
FM_DEFINE_ANOVA(double, d)
FM_DEFINE_ANOVA_EIGHTS(float, f)
FM_DEFINE_ANOVA_EIGHTS(double, d)

#endif
