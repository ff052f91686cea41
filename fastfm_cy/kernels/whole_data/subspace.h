/* The inner loops of the solvers over whole data: eight coordinates of a row's vector at a time, for
   float and double. Vectors of the other side have `width` numbers; y points to eight of them. */
#ifndef FASTFM_CY_SUBSPACE_H
#define FASTFM_CY_SUBSPACE_H

#include "vector.h"

#include <stdint.h>
#include <string.h>

#define FM_TILE 8
#define FM_PAIRS_AHEAD 12 /* between prefetching a vector and using it */

/* Solves H x = r for a symmetric H with no negative eigenvalues; x = 0 where a pivot vanishes, for
   what nothing says anything about stays as it is. All rows are rid of a column at a time, those
   above the diagonal, too: that is more arithmetic than halves of a triangle, but eight at once. */
#define FM_DEFINE_SOLVE(real, suffix)                                                             \
  static inline void fm_solve_tile_##suffix(const real *FM_RESTRICT H, const real *FM_RESTRICT r, \
                                            real *FM_RESTRICT x, real least) {                    \
    real A[FM_TILE][FM_TILE], rest[FM_TILE], inverse[FM_TILE];                                    \
    memcpy(A, H, sizeof(A));                                                                      \
    memcpy(rest, r, sizeof(rest));                                                                \
    for (int j = 0; j < FM_TILE; j++) {                                                           \
      const real pivot = A[j][j], side = rest[j];                                                 \
      real of[FM_TILE], row[FM_TILE];                                                             \
      inverse[j] = pivot > least * H[j * FM_TILE + j] && pivot > 0 ? 1 / pivot : 0;               \
      FM_SIMD for (int i = 0; i < FM_TILE; i++) of[i] = A[i][j] * inverse[j];                     \
      of[j] = 0;                                                                                  \
      memcpy(row, A[j], sizeof(row));                                                             \
      FM_SIMD for (int i = 0; i < FM_TILE; i++) rest[i] -= of[i] * side;                          \
      for (int i = 0; i < FM_TILE; i++)                                                           \
        FM_SIMD for (int f = 0; f < FM_TILE; f++) A[i][f] -= of[i] * row[f];                      \
    }                                                                                             \
    FM_SIMD for (int i = 0; i < FM_TILE; i++) x[i] = rest[i] * inverse[i];                        \
  }

#define FM_DEFINE_SUBSPACE(real, suffix)                                                          \
  /* H += w y y', r += error y and, unless it is NULL, m += w y over n pairs; without weights w = 1. \
   */                                                                                             \
  FM_INLINE void fm_pair_sums_##suffix(const real *y, Py_ssize_t width, const int32_t *others,    \
                                       Py_ssize_t n, const real *weights, const real *errors,     \
                                       real *FM_RESTRICT H, real *FM_RESTRICT r,                  \
                                       real *FM_RESTRICT m) {                                     \
    for (Py_ssize_t p = 0; p < n; p++) {                                                          \
      const real *of = y + others[p] * width, w = weights ? weights[p] : 1, error = errors[p];    \
      for (int a = 0; a < FM_TILE; a++) {                                                         \
        const real one = w * of[a];                                                               \
        FM_SIMD for (int b = 0; b < FM_TILE; b++) H[a * FM_TILE + b] += one * of[b];              \
      }                                                                                           \
      FM_SIMD for (int b = 0; b < FM_TILE; b++) r[b] += error * of[b];                            \
      if (m) FM_SIMD for (int b = 0; b < FM_TILE; b++) m[b] += w * of[b];                         \
    }                                                                                             \
  }                                                                                               \
  /* error -= w (<y, move> + along): what a move of a row does to its pairs. */                   \
  FM_INLINE void fm_move_pairs_##suffix(const real *y, Py_ssize_t width, const int32_t *others,   \
                                        Py_ssize_t n, const real *weights, real weight,           \
                                        const real *FM_RESTRICT move, real along,                 \
                                        real *FM_RESTRICT errors) {                               \
    for (Py_ssize_t p = 0; p < n; p++) {                                                          \
      const real *of = y + others[p] * width;                                                     \
      real total = along;                                                                         \
      FM_SIMD_SUM for (int f = 0; f < FM_TILE; f++) total += of[f] * move[f];                     \
      errors[p] -= (weights ? weights[p] : weight) * total;                                       \
    }                                                                                             \
  }                                                                                               \
  /* r -= G x, for eight columns, from `columns` on, of a symmetric G of `width` rows. */         \
  FM_INLINE void fm_less_product_##suffix(real *FM_RESTRICT r, const real *columns,               \
                                          Py_ssize_t width, const real *FM_RESTRICT x) {          \
    real total[4][FM_TILE] = {{0}}; /* shorter chains of additions */                            \
    for (Py_ssize_t f = 0; f < width; f += 4)                                                     \
      for (int p = 0; p < 4; p++)                                                                 \
        FM_SIMD for (int b = 0; b < FM_TILE; b++)                                                 \
          total[p][b] += x[f + p] * columns[(f + p) * width + b];                                 \
    FM_SIMD for (int b = 0; b < FM_TILE; b++)                                                     \
      r[b] -= (total[0][b] + total[1][b]) + (total[2][b] + total[3][b]);                          \
  }

FM_DEFINE_SOLVE(float, f)
FM_DEFINE_SOLVE(double, d)
FM_DEFINE_SUBSPACE(float, f)
FM_DEFINE_SUBSPACE(double, d)

#if defined(FM_EIGHTS_OF_FLOATS)
/* The same with H in eight registers, where compilers would not keep it. */
FM_INLINE void fm_pair_sums_in_registers(const float *y, Py_ssize_t width, const int32_t *others,
                                         Py_ssize_t n, const float *weights, const float *errors,
                                         float *FM_RESTRICT H, float *FM_RESTRICT r,
                                         float *FM_RESTRICT m) {
  __m256 H0 = _mm256_loadu_ps(H), H1 = _mm256_loadu_ps(H + 8), H2 = _mm256_loadu_ps(H + 16),
         H3 = _mm256_loadu_ps(H + 24), H4 = _mm256_loadu_ps(H + 32), H5 = _mm256_loadu_ps(H + 40),
         H6 = _mm256_loadu_ps(H + 48), H7 = _mm256_loadu_ps(H + 56), sum = _mm256_loadu_ps(r),
         plain = m ? _mm256_loadu_ps(m) : _mm256_setzero_ps();
  for (Py_ssize_t p = 0; p < n; p++) {
    const float *of = y + others[p] * width;
    __m256 eight = _mm256_loadu_ps(of);
    sum = _mm256_fmadd_ps(_mm256_broadcast_ss(errors + p), eight, sum);
    if (weights) eight = _mm256_mul_ps(eight, _mm256_broadcast_ss(weights + p));
    H0 = _mm256_fmadd_ps(_mm256_broadcast_ss(of), eight, H0);
    H1 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 1), eight, H1);
    H2 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 2), eight, H2);
    H3 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 3), eight, H3);
    H4 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 4), eight, H4);
    H5 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 5), eight, H5);
    H6 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 6), eight, H6);
    H7 = _mm256_fmadd_ps(_mm256_broadcast_ss(of + 7), eight, H7);
    if (m) plain = _mm256_add_ps(plain, eight);
  }
  _mm256_storeu_ps(H, H0);
  _mm256_storeu_ps(H + 8, H1);
  _mm256_storeu_ps(H + 16, H2);
  _mm256_storeu_ps(H + 24, H3);
  _mm256_storeu_ps(H + 32, H4);
  _mm256_storeu_ps(H + 40, H5);
  _mm256_storeu_ps(H + 48, H6);
  _mm256_storeu_ps(H + 56, H7);
  _mm256_storeu_ps(r, sum);
  if (m) _mm256_storeu_ps(m, plain);
}
#define fm_pair_sums_f fm_pair_sums_in_registers

/* The sums of a and of b, each with its partner's lanes side by side; three rounds sum up eight. */
FM_INLINE __m256 fm_fold(__m256 a, __m256 b) {
  return _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
}

FM_INLINE void fm_move_pairs_in_registers(const float *y, Py_ssize_t width, const int32_t *others,
                                          Py_ssize_t n, const float *weights, float weight,
                                          const float *FM_RESTRICT move, float along,
                                          float *FM_RESTRICT errors) {
  const __m256 d = _mm256_loadu_ps(move), more = _mm256_set1_ps(along),
               same = _mm256_set1_ps(weight);
  Py_ssize_t p = 0;
  for (; p + 8 <= n; p += 8) {
    __m256 e[8];
    for (int i = 0; i < 8; i++)
      e[i] = _mm256_mul_ps(d, _mm256_loadu_ps(y + others[p + i] * width));
    for (int i = 0; i < 4; i++) e[i] = fm_fold(e[i], e[i + 4]); /* of 0 and 4, ... */
    for (int i = 0; i < 2; i++) e[i] = fm_fold(e[i], e[i + 2]);
    /* Each half of a register now has sums of 0, 2, 4, 6 or of 1, 3, 5, 7 over four lanes. */
    const __m256 even = e[0], odd = e[1];
    const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    const __m256 first = _mm256_permute2f128_ps(low, high, 0x20),
                 second = _mm256_permute2f128_ps(low, high, 0x31);
    const __m256 total = _mm256_add_ps(_mm256_add_ps(first, second), more);
    const __m256 w = weights ? _mm256_loadu_ps(weights + p) : same;
    _mm256_storeu_ps(errors + p, _mm256_fnmadd_ps(w, total, _mm256_loadu_ps(errors + p)));
  }
  for (; p < n; p++) {
    const float *of = y + others[p] * width;
    const float total = fm_sum_of_eight(_mm256_mul_ps(d, _mm256_loadu_ps(of))) + along;
    errors[p] -= (weights ? weights[p] : weight) * total;
  }
}
#define fm_move_pairs_f fm_move_pairs_in_registers
#endif

#endif
