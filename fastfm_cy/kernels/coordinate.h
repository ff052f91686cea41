/* The inner loops of the coordinate solvers: eight factors of one feature at a time, for float and
   double. H holds an 8 x 8 matrix by rows. */
#ifndef FASTFM_CY_COORDINATE_H
#define FASTFM_CY_COORDINATE_H

#include "vector.h"

#define FM_EIGHT 8

#define FM_DEFINE_EIGHTS(real, suffix)                                                            \
  /* h = x (q - x v): the derivatives of a row's score by the factors v of a feature. */          \
  FM_INLINE void fm_slopes_##suffix(real *FM_RESTRICT h, const real *FM_RESTRICT q, real x,       \
                                    const real *FM_RESTRICT v) {                                  \
    FM_SIMD for (int f = 0; f < FM_EIGHT; f++) h[f] = x * (q[f] - x * v[f]);                      \
  }                                                                                               \
  FM_INLINE void fm_gram_##suffix(real *FM_RESTRICT H, real *FM_RESTRICT r,                       \
                                  const real *FM_RESTRICT h, real error) {                        \
    for (int a = 0; a < FM_EIGHT; a++) {                                                          \
      const real slope = h[a];                                                                    \
      FM_SIMD for (int b = 0; b < FM_EIGHT; b++) H[a * FM_EIGHT + b] += slope * h[b];             \
    }                                                                                             \
    FM_SIMD for (int b = 0; b < FM_EIGHT; b++) r[b] += error * h[b];                              \
  }                                                                                               \
  FM_INLINE real fm_dot_eight_##suffix(const real *FM_RESTRICT a, const real *FM_RESTRICT b) {    \
    real total = 0;                                                                               \
    FM_SIMD_SUM for (int f = 0; f < FM_EIGHT; f++) total += a[f] * b[f];                          \
    return total;                                                                                 \
  }                                                                                               \
  FM_INLINE void fm_add_eight_##suffix(real *FM_RESTRICT q, real x, const real *FM_RESTRICT d) {  \
    FM_SIMD for (int f = 0; f < FM_EIGHT; f++) q[f] += x * d[f];                                  \
  }

FM_DEFINE_EIGHTS(float, f)
FM_DEFINE_EIGHTS(double, d)

#endif
