/* The inner loops of higher-order machines, for float and double. e holds the elementary symmetric
   polynomials e_1 .. e_(order-1) of the p = v x seen so far, a level of k numbers each; e_0 = 1.
   `order` is constant where these are called, so that the loops over levels vanish. */
#ifndef FASTFM_CY_ANOVA_H
#define FASTFM_CY_ANOVA_H

#include "vector.h"

#include <stdint.h>

/* One feature more of factor f, in fm_row_levels: the levels after it to `after`. */
#define FM_ADD_FEATURE(real, product, after)                                                      \
  {                                                                                               \
    const real p = product;                                                                       \
    sum += p * e[order - 1];                                                                      \
    for (int m = order - 1; m > 0; m--) {                                                         \
      e[m] += p * e[m - 1];                                                                       \
      (after)[(m - 1) * k + f] = e[m];                                                            \
    }                                                                                             \
  }

/* One feature less, in fm_row_slopes: its derivative is sum_m e_(m-1) b_m, given the levels before
   it; then b_m += p b_(m+1). */
#define FM_TAKE_FEATURE(real, product, before, slope)                                             \
  {                                                                                               \
    const real p = product;                                                                       \
    real sum = b[1];                                                                              \
    for (int m = 1; m < order; m++) {                                                             \
      sum += (before)[(m - 1) * k + f] * b[m + 1];                                                \
      b[m] += p * b[m + 1];                                                                       \
    }                                                                                             \
    (slope)[f] = sum;                                                                             \
  }

#define FM_DEFINE_ANOVA(real, suffix)                                                             \
  /* The levels of a row after each of its n features, `stride` apart from the first, which       \
     hold those of none; or, if `stride` is 0, one after the other in place. e_m grows by         \
     p e_(m-1), and `top`, the sum of all e_order, by p e_(order-1). Four features at a time, so  \
     that sums wait for memory less often. */                                                     \
  FM_INLINE void fm_row_levels_##suffix(real *levels, Py_ssize_t stride, real *top,               \
                                        const real *factors, Py_ssize_t factor_stride,            \
                                        const int32_t *indices, const real *data, Py_ssize_t n,   \
                                        const int order, Py_ssize_t k) {                          \
    Py_ssize_t i = 0;                                                                             \
    for (; i + 4 <= n; i += 4) {                                                                  \
      const real *v0 = factors + indices[i] * factor_stride;                                      \
      const real *v1 = factors + indices[i + 1] * factor_stride;                                  \
      const real *v2 = factors + indices[i + 2] * factor_stride;                                  \
      const real *v3 = factors + indices[i + 3] * factor_stride;                                  \
      const real x0 = data[i], x1 = data[i + 1], x2 = data[i + 2], x3 = data[i + 3];              \
      FM_SIMD for (Py_ssize_t f = 0; f < k; f++) {                                                \
        real e[5] = {1, 1, 1, 1, 1}, sum = 0;                                                     \
        for (int m = 1; m < order; m++) e[m] = levels[i * stride + (m - 1) * k + f];              \
        FM_ADD_FEATURE(real, v0[f] * x0, levels + (i + 1) * stride)                               \
        FM_ADD_FEATURE(real, v1[f] * x1, levels + (i + 2) * stride)                               \
        FM_ADD_FEATURE(real, v2[f] * x2, levels + (i + 3) * stride)                               \
        FM_ADD_FEATURE(real, v3[f] * x3, levels + (i + 4) * stride)                               \
        top[f] += sum;                                                                            \
      }                                                                                           \
    }                                                                                             \
    for (; i < n; i++) {                                                                          \
      const real *v = factors + indices[i] * factor_stride;                                       \
      const real x = data[i];                                                                     \
      FM_SIMD for (Py_ssize_t f = 0; f < k; f++) {                                                \
        real e[5] = {1, 1, 1, 1, 1}, sum = 0;                                                     \
        for (int m = 1; m < order; m++) e[m] = levels[i * stride + (m - 1) * k + f];              \
        FM_ADD_FEATURE(real, v[f] * x, levels + (i + 1) * stride)                                 \
        top[f] += sum;                                                                            \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  /* The derivatives of the score by the p of `count` features, 4 or 1, of which the levels before\
     the first are given: k numbers each. a holds the derivatives by the levels behind the last,  \
     a_1 .. a_(order-1), and a_order = 1; it moves on to those before the first. */               \
  FM_INLINE void fm_row_slopes_##suffix(real *FM_RESTRICT slopes, real *FM_RESTRICT a,            \
                                        const real *FM_RESTRICT levels, Py_ssize_t stride,        \
                                        const real *FM_RESTRICT factors, Py_ssize_t factor_stride,\
                                        const int32_t *indices, const real *data,                 \
                                        Py_ssize_t count, const int order, Py_ssize_t k) {        \
    const real *v0 = factors + indices[0] * factor_stride;                                        \
    const real x0 = data[0];                                                                      \
    if (count == 4) {                                                                             \
      const real *v1 = factors + indices[1] * factor_stride;                                      \
      const real *v2 = factors + indices[2] * factor_stride;                                      \
      const real *v3 = factors + indices[3] * factor_stride;                                      \
      const real x1 = data[1], x2 = data[2], x3 = data[3];                                        \
      FM_SIMD for (Py_ssize_t f = 0; f < k; f++) {                                                \
        real b[6] = {1, 1, 1, 1, 1, 1};                                                           \
        for (int m = 1; m < order; m++) b[m] = a[(m - 1) * k + f];                                \
        FM_TAKE_FEATURE(real, v3[f] * x3, levels + 3 * stride, slopes + 3 * k)                    \
        FM_TAKE_FEATURE(real, v2[f] * x2, levels + 2 * stride, slopes + 2 * k)                    \
        FM_TAKE_FEATURE(real, v1[f] * x1, levels + stride, slopes + k)                            \
        FM_TAKE_FEATURE(real, v0[f] * x0, levels, slopes)                                         \
        for (int m = 1; m < order; m++) a[(m - 1) * k + f] = b[m];                                \
      }                                                                                           \
    } else {                                                                                      \
      FM_SIMD for (Py_ssize_t f = 0; f < k; f++) {                                                \
        real b[6] = {1, 1, 1, 1, 1, 1};                                                           \
        for (int m = 1; m < order; m++) b[m] = a[(m - 1) * k + f];                                \
        FM_TAKE_FEATURE(real, v0[f] * x0, levels, slopes)                                         \
        for (int m = 1; m < order; m++) a[(m - 1) * k + f] = b[m];                                \
      }                                                                                           \
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
