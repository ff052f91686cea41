/* The inner loops of the coordinate solvers: eight factors of one feature at a time, for float and
   double. H holds an 8 x 8 matrix by rows. */
#ifndef FASTFM_CY_COORDINATE_H
#define FASTFM_CY_COORDINATE_H

#include "vector.h"

#include <stdint.h>
#include <string.h>

#define FM_EIGHT 8
#define FM_ERROR 8 /* places in a line */
#define FM_ROOT 9
#define FM_AHEAD 16 /* non-zeros between prefetching a row and using it */

/* The part of a row's line that a sweep uses, 16 numbers. */
FM_INLINE void fm_prefetch_line(const void *line, size_t size) {
  FM_PREFETCH_OWN(line);
  if (size == 8) FM_PREFETCH_OWN((const char *)line + 64);
}

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
  /* H = sum h h' and r = sum e h over a column's rows, lines of `width` [q | e | weight's root];   \
     `n_readable` of its indices may be looked at ahead. */                                        \
  FM_INLINE void fm_gram_column_##suffix(const real *FM_RESTRICT lines, Py_ssize_t width,         \
                                         const int32_t *indices, const real *data, Py_ssize_t n,  \
                                         Py_ssize_t n_readable, const real *FM_RESTRICT v,        \
                                         int is_weighted, real *FM_RESTRICT H,                    \
                                         real *FM_RESTRICT r) {                                   \
    real h[FM_EIGHT];                                                                             \
    memset(H, 0, FM_EIGHT * FM_EIGHT * sizeof(real));                                             \
    memset(r, 0, FM_EIGHT * sizeof(real));                                                        \
    for (Py_ssize_t i = 0; i < n; i++) {                                                          \
      const real *line = lines + indices[i] * width;                                              \
      if (i + FM_AHEAD < n_readable) fm_prefetch_line(lines + indices[i + FM_AHEAD] * width,      \
                                                      sizeof(real));                              \
      fm_slopes_##suffix(h, line, data[i], v);                                                    \
      if (is_weighted) {                                                                          \
        FM_SIMD for (int f = 0; f < FM_EIGHT; f++) h[f] *= line[FM_ROOT];                         \
        fm_gram_##suffix(H, r, h, line[FM_ERROR] * line[FM_ROOT]);                                \
      } else {                                                                                    \
        fm_gram_##suffix(H, r, h, line[FM_ERROR]);                                                \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  /* The interactions of eight factors, rows of `stride`, in a row of n features; sums to q. */      \
  FM_INLINE real fm_interact_##suffix(const int32_t *indices, const real *data, Py_ssize_t n,     \
                                      const real *factors, Py_ssize_t stride,                     \
                                      real *FM_RESTRICT q) {                                      \
    real sums[FM_EIGHT] = {0}, squares[FM_EIGHT] = {0};                                           \
    for (Py_ssize_t i = 0; i < n; i++)                                                            \
      fm_accumulate_##suffix(sums, squares, factors + indices[i] * stride, data[i], FM_EIGHT);    \
    FM_SIMD for (int f = 0; f < FM_EIGHT; f++) q[f] = sums[f];                                    \
    return fm_interactions_##suffix(sums, squares, FM_EIGHT);                                     \
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

#if defined(FM_EIGHTS_OF_FLOATS) && defined(__GNUC__)
/* fm_gram_column_f with H in eight registers, where compilers would not keep it: a third faster. */
typedef float fm_eight __attribute__((vector_size(32)));

FM_INLINE fm_eight fm_load_eight(const float *from) {
  fm_eight eight;
  memcpy(&eight, from, sizeof(eight));
  return eight;
}

FM_INLINE void fm_gram_column_in_registers(const float *FM_RESTRICT lines, Py_ssize_t width,
                                           const int32_t *indices, const float *data, Py_ssize_t n,
                                           Py_ssize_t n_readable, const float *FM_RESTRICT v,
                                           int is_weighted, float *FM_RESTRICT H,
                                           float *FM_RESTRICT r) {
  const fm_eight factors = fm_load_eight(v);
  fm_eight H0 = {0}, H1 = {0}, H2 = {0}, H3 = {0}, H4 = {0}, H5 = {0}, H6 = {0}, H7 = {0}, sum = {0};
  for (Py_ssize_t i = 0; i < n; i++) {
    const float *line = lines + indices[i] * width;
    if (i + FM_AHEAD < n_readable) FM_PREFETCH_OWN(lines + indices[i + FM_AHEAD] * width);
    fm_eight h = data[i] * (fm_load_eight(line) - data[i] * factors);
    float error = line[FM_ERROR];
    if (is_weighted) {
      h *= line[FM_ROOT];
      error *= line[FM_ROOT];
    }
    H0 += h[0] * h;
    H1 += h[1] * h;
    H2 += h[2] * h;
    H3 += h[3] * h;
    H4 += h[4] * h;
    H5 += h[5] * h;
    H6 += h[6] * h;
    H7 += h[7] * h;
    sum += error * h;
  }
  const fm_eight rows[FM_EIGHT] = {H0, H1, H2, H3, H4, H5, H6, H7};
  memcpy(H, rows, sizeof(rows));
  memcpy(r, &sum, sizeof(sum));
}
#define fm_gram_column_f fm_gram_column_in_registers

/* The same for the loops that gcc would go through memory or add one number after the other for. */
FM_INLINE float fm_interact_in_registers(const int32_t *indices, const float *data, Py_ssize_t n,
                                         const float *factors, Py_ssize_t stride,
                                         float *FM_RESTRICT q) {
  __m256 sums = _mm256_setzero_ps(), squares = _mm256_setzero_ps();
  for (Py_ssize_t i = 0; i < n; i++) {
    const __m256 vx =
        _mm256_mul_ps(_mm256_loadu_ps(factors + indices[i] * stride), _mm256_set1_ps(data[i]));
    sums = _mm256_add_ps(sums, vx);
    squares = _mm256_fmadd_ps(vx, vx, squares);
  }
  _mm256_storeu_ps(q, sums);
  return 0.5f * fm_sum_of_eight(_mm256_fmsub_ps(sums, sums, squares));
}
#define fm_interact_f fm_interact_in_registers

FM_INLINE float fm_dot_in_registers(const float *a, const float *b) {
  return fm_sum_of_eight(_mm256_mul_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b)));
}
#define fm_dot_eight_f fm_dot_in_registers
#endif

#endif
