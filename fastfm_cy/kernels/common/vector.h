/* The inner loops over the factors of one feature, and what only C can say: no aliasing, vectorise,
   prefetch, flush denormals. Everything else is Cython. Each loop is defined for float and double;
   n is a compile-time constant where the caller was specialised for it. */
#ifndef FASTFM_CY_VECTOR_H
#define FASTFM_CY_VECTOR_H

#include <math.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
  #define FM_INLINE static __forceinline
  #define FM_RESTRICT __restrict
  #define FM_SIMD __pragma(loop(ivdep))
  #define FM_SIMD_SUM
#else
  #define FM_INLINE static inline __attribute__((always_inline))
  #define FM_RESTRICT __restrict__
  #define FM_SIMD _Pragma("omp simd")
  #define FM_SIMD_SUM _Pragma("omp simd reduction(+ : total)")
#endif

#if defined(__SSE2__) || defined(_M_X64)
  #include <xmmintrin.h>
  #define FM_HAS_MXCSR
#endif

/* Macros, since compilers drop calls to functions that only prefetch. FM_PREFETCH_OWN also takes the
   line from the caches of other cores, for data that will be written. */
#if defined(_MSC_VER) && !defined(__clang__)
  #if defined(FM_HAS_MXCSR)
    #define FM_PREFETCH(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
  #else
    #define FM_PREFETCH(address) __prefetch((const void *)(address))
  #endif
  #define FM_PREFETCH_OWN(address) FM_PREFETCH(address)
#else
  #define FM_PREFETCH(address) __builtin_prefetch((const void *)(address), 0, 3)
  #define FM_PREFETCH_OWN(address) __builtin_prefetch((const void *)(address), 1, 3)
#endif

/* Denormal numbers make arithmetic several times slower; in training they mean zero. Returns the
   thread's previous mode, for fm_restore_denormals. */
#if defined(FM_HAS_MXCSR)
static inline unsigned int fm_flush_denormals(void) {
  unsigned int before = _mm_getcsr();
  _mm_setcsr(before | 0x8040u); /* flush to zero, denormals are zero */
  return before;
}
static inline void fm_restore_denormals(unsigned int before) { _mm_setcsr(before); }
#else
static inline unsigned int fm_flush_denormals(void) { return 0; }
static inline void fm_restore_denormals(unsigned int before) { (void)before; }
#endif

/* Columns as unsigned numbers, none beyond the last. */
FM_INLINE int32_t fm_clamped(int32_t column, uint32_t last) {
  return (int32_t)((uint32_t)column < last ? (uint32_t)column : last);
}
FM_INLINE void fm_clamp(int32_t *FM_RESTRICT to, const int32_t *from, Py_ssize_t n, uint32_t last) {
  if (n == 2) { /* ratings: a user and an item */
    to[0] = fm_clamped(from[0], last);
    to[1] = fm_clamped(from[1], last);
    return;
  }
  FM_SIMD for (Py_ssize_t i = 0; i < n; i++) to[i] = fm_clamped(from[i], last);
}

#if defined(__AVX2__)
#include <immintrin.h>
/* AdaGrad, eight floats at a time. Division and square root would take longer than all the rest, so
   the root's reciprocal is the CPU's estimate and one Newton step: exact to 3e-7, relatively. */
#define FM_EIGHTS_OF_FLOATS
FM_INLINE void fm_adagrad_eight(float *FM_RESTRICT theta, float *FM_RESTRICT squares,
                                const float *FM_RESTRICT direction, __m256 along, __m256 own,
                                __m256 rate) {
  const __m256 half = _mm256_set1_ps(0.5f), three_halves = _mm256_set1_ps(1.5f);
  __m256 t = _mm256_loadu_ps(theta);
  __m256 gradient = _mm256_fmadd_ps(along, _mm256_loadu_ps(direction), _mm256_mul_ps(own, t));
  __m256 sum = _mm256_fmadd_ps(gradient, gradient, _mm256_loadu_ps(squares));
  __m256 guess = _mm256_rsqrt_ps(sum);
  __m256 error = _mm256_mul_ps(_mm256_mul_ps(_mm256_mul_ps(half, sum), guess), guess);
  __m256 root = _mm256_mul_ps(guess, _mm256_sub_ps(three_halves, error));
  _mm256_storeu_ps(squares, sum);
  _mm256_storeu_ps(theta, _mm256_fnmadd_ps(_mm256_mul_ps(rate, gradient), root, t));
}

/* Numerator over denominator, exact to 3e-7, too. Of root, division and their estimates, one unit of
   the CPU has the first two and takes long for them; it is best given the roots alone. */
FM_INLINE __m256 fm_quotient_of_eight(__m256 above, __m256 below) {
  const __m256 guess = _mm256_rcp_ps(below), quotient = _mm256_mul_ps(above, guess);
  return _mm256_fmadd_ps(_mm256_fnmadd_ps(quotient, below, above), guess, quotient);
}

FM_INLINE void fm_adam_eight(float *FM_RESTRICT theta, float *FM_RESTRICT mean,
                             float *FM_RESTRICT square, const float *FM_RESTRICT direction,
                             __m256 along, __m256 own, __m256 beta1, __m256 beta2, __m256 rest1,
                             __m256 rest2, __m256 rate, __m256 epsilon, __m256 keep) {
  const __m256 t = _mm256_loadu_ps(theta);
  const __m256 gradient =
      _mm256_fmadd_ps(along, _mm256_loadu_ps(direction), _mm256_mul_ps(own, t));
  const __m256 m = _mm256_fmadd_ps(beta1, _mm256_loadu_ps(mean), _mm256_mul_ps(rest1, gradient));
  const __m256 s = _mm256_fmadd_ps(beta2, _mm256_loadu_ps(square),
                                   _mm256_mul_ps(_mm256_mul_ps(rest2, gradient), gradient));
  const __m256 below = _mm256_add_ps(_mm256_sqrt_ps(s), epsilon);
  _mm256_storeu_ps(mean, m);
  _mm256_storeu_ps(square, s);
  _mm256_storeu_ps(theta, _mm256_fmsub_ps(
      keep, t, fm_quotient_of_eight(_mm256_mul_ps(rate, m), below)));
}

FM_INLINE void fm_ftrl_eight(float *FM_RESTRICT theta, float *FM_RESTRICT z,
                             float *FM_RESTRICT squares, const float *FM_RESTRICT direction,
                             __m256 along, __m256 own, __m256 l1, __m256 stiffness,
                             __m256 per_rate) {
  const __m256 t = _mm256_loadu_ps(theta), before = _mm256_loadu_ps(squares);
  const __m256 gradient =
      _mm256_fmadd_ps(along, _mm256_loadu_ps(direction), _mm256_mul_ps(own, t));
  const __m256 sum = _mm256_fmadd_ps(gradient, gradient, before), root = _mm256_sqrt_ps(sum);
  const __m256 growth = _mm256_mul_ps(_mm256_sub_ps(root, _mm256_sqrt_ps(before)), per_rate);
  const __m256 pull = _mm256_fnmadd_ps(growth, t, _mm256_add_ps(_mm256_loadu_ps(z), gradient));
  const __m256 within =
      _mm256_max_ps(_mm256_min_ps(pull, l1), _mm256_xor_ps(l1, _mm256_set1_ps(-0.0f)));
  _mm256_storeu_ps(squares, sum);
  _mm256_storeu_ps(z, pull);
  _mm256_storeu_ps(theta, fm_quotient_of_eight(_mm256_sub_ps(within, pull),
                                               _mm256_fmadd_ps(root, per_rate, stiffness)));
}

/* Pairwise: compilers add the eight one after the other, and the next row may wait for them. */
FM_INLINE float fm_sum_of_eight(__m256 eight) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

FM_INLINE float fm_interactions_of_eights(const float *sums, const float *squares, Py_ssize_t n) {
  __m256 total = _mm256_setzero_ps();
  for (Py_ssize_t f = 0; f < n; f += 8) {
    const __m256 s = _mm256_loadu_ps(sums + f);
    total = _mm256_add_ps(total, _mm256_fmsub_ps(s, s, _mm256_loadu_ps(squares + f)));
  }
  return 0.5f * fm_sum_of_eight(total);
}
#endif

#define FM_PART 16
#define FM_DEFINE_LOOPS(real, suffix, root, magnitude, with_sign)                                 \
  FM_INLINE void fm_clear_##suffix(real *FM_RESTRICT sums, real *FM_RESTRICT squares,             \
                                   Py_ssize_t n) {                                                \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) { sums[f] = 0; squares[f] = 0; }                   \
  }                                                                                               \
  FM_INLINE void fm_accumulate_##suffix(real *FM_RESTRICT sums, real *FM_RESTRICT squares,        \
                                        const real *FM_RESTRICT v, real x, Py_ssize_t n) {        \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real vx = v[f] * x;                                                                         \
      sums[f] += vx;                                                                              \
      squares[f] += vx * vx;                                                                      \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE void fm_accumulate_two_##suffix(real *FM_RESTRICT sums, real *FM_RESTRICT squares,     \
                                            const real *u, real x, const real *v, real y,         \
                                            Py_ssize_t n) {                                       \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real ux = u[f] * x, vy = v[f] * y;                                                          \
      sums[f] += ux + vy;                                                                         \
      squares[f] += ux * ux + vy * vy;                                                            \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE real fm_interactions_##suffix(const real *FM_RESTRICT sums,                           \
                                          const real *FM_RESTRICT squares, Py_ssize_t n) {        \
    real total = 0;                                                                               \
    FM_SIMD_SUM for (Py_ssize_t f = 0; f < n; f++) total += sums[f] * sums[f] - squares[f];       \
    return (real)0.5 * total;                                                                     \
  }                                                                                               \
  FM_INLINE real fm_dot_##suffix(const real *FM_RESTRICT u, const real *FM_RESTRICT v,            \
                                 Py_ssize_t n) {                                                  \
    real part[FM_PART] = {0}, total = 0;                                                          \
    Py_ssize_t f = 0;                                                                             \
    for (; f + FM_PART <= n; f += FM_PART) /* several sums: a shorter chain of additions */       \
      FM_SIMD for (Py_ssize_t p = 0; p < FM_PART; p++) part[p] += u[f + p] * v[f + p];            \
    FM_SIMD_SUM for (Py_ssize_t p = 0; p < FM_PART; p++) total += part[p];                        \
    for (; f < n; f++) total += u[f] * v[f];                                                      \
    return total;                                                                                 \
  }                                                                                               \
  FM_INLINE void fm_scale_##suffix(real *FM_RESTRICT to, const real *FM_RESTRICT v, real x,       \
                                   Py_ssize_t n) {                                                \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) to[f] = v[f] * x;                                  \
  }                                                                                               \
  FM_INLINE void fm_add_scaled_##suffix(real *FM_RESTRICT to, const real *FM_RESTRICT v, real x,  \
                                        Py_ssize_t n) {                                           \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) to[f] += v[f] * x;                                 \
  }                                                                                               \
  FM_INLINE void fm_sgd_##suffix(real *FM_RESTRICT theta, const real *FM_RESTRICT direction,      \
                                 real along, real own, real rate, Py_ssize_t n) {                 \
    const real keep = 1 - rate * own, move = rate * along;                                        \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) theta[f] = keep * theta[f] - move * direction[f];  \
  }                                                                                               \
  FM_INLINE void fm_adagrad_##suffix(real *FM_RESTRICT theta, real *FM_RESTRICT squares,          \
                                     const real *FM_RESTRICT direction, real along, real own,     \
                                     real rate, Py_ssize_t n) {                                   \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real gradient = along * direction[f] + own * theta[f];                                      \
      real sum = squares[f] + gradient * gradient;                                                \
      squares[f] = sum;                                                                           \
      theta[f] -= rate * gradient / root(sum);                                                    \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE void fm_adam_##suffix(real *FM_RESTRICT theta, real *FM_RESTRICT mean,                \
                                  real *FM_RESTRICT square, const real *FM_RESTRICT direction,    \
                                  real along, real own, real beta1, real beta2, real rate,        \
                                  real epsilon, real keep, Py_ssize_t n) {                        \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real gradient = along * direction[f] + own * theta[f];                                      \
      mean[f] = beta1 * mean[f] + (1 - beta1) * gradient;                                         \
      square[f] = beta2 * square[f] + (1 - beta2) * gradient * gradient;                          \
      theta[f] = keep * theta[f] - rate * mean[f] / (root(square[f]) + epsilon);                  \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE void fm_ftrl_##suffix(real *FM_RESTRICT theta, real *FM_RESTRICT z,                   \
                                  real *FM_RESTRICT squares, const real *FM_RESTRICT direction,   \
                                  real along, real own, real l1, real stiffness, real per_rate,   \
                                  Py_ssize_t n) {                                                 \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real gradient = along * direction[f] + own * theta[f];                                      \
      real before = root(squares[f]), sum = squares[f] + gradient * gradient, after = root(sum);  \
      real pull = z[f] + gradient - (after - before) * per_rate * theta[f];                       \
      real excess = magnitude(pull) - l1;                                                         \
      squares[f] = sum;                                                                           \
      z[f] = pull;                                                                                \
      theta[f] = -with_sign(excess > 0 ? excess : 0, pull) / (stiffness + after * per_rate);      \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE void fm_shrink_##suffix(real *FM_RESTRICT theta, real by, Py_ssize_t n) {             \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real left = magnitude(theta[f]) - by;                                                       \
      theta[f] = with_sign(left > 0 ? left : 0, theta[f]);                                        \
    }                                                                                             \
  }                                                                                               \
  FM_INLINE void fm_shrink_by_root_##suffix(real *FM_RESTRICT theta,                              \
                                            const real *FM_RESTRICT squares, real by,             \
                                            Py_ssize_t n) {                                       \
    FM_SIMD for (Py_ssize_t f = 0; f < n; f++) {                                                  \
      real left = magnitude(theta[f]) - by / root(squares[f]);                                    \
      theta[f] = with_sign(left > 0 ? left : 0, theta[f]);                                        \
    }                                                                                             \
  }

FM_DEFINE_LOOPS(float, f, sqrtf, fabsf, copysignf)
FM_DEFINE_LOOPS(double, d, sqrt, fabs, copysign)

/* The AdaGrad step of a factor vector of floats, whose padded length is a multiple of 4. */
FM_INLINE void fm_adagrad_vector_f(float *FM_RESTRICT theta, float *FM_RESTRICT squares,
                                   const float *FM_RESTRICT direction, float along, float own,
                                   float rate, Py_ssize_t n) {
  Py_ssize_t f = 0;
#if defined(FM_EIGHTS_OF_FLOATS)
  const __m256 a = _mm256_set1_ps(along), o = _mm256_set1_ps(own), r = _mm256_set1_ps(rate);
  for (; f + 8 <= n; f += 8) fm_adagrad_eight(theta + f, squares + f, direction + f, a, o, r);
  if (f == n) return;
#endif
  fm_adagrad_f(theta + f, squares + f, direction + f, along, own, rate, n - f);
}

/* Those of Adam and FTRL. */
FM_INLINE void fm_adam_vector_f(float *FM_RESTRICT theta, float *FM_RESTRICT mean,
                                float *FM_RESTRICT square, const float *FM_RESTRICT direction,
                                float along, float own, float beta1, float beta2, float rate,
                                float epsilon, float keep, Py_ssize_t n) {
  Py_ssize_t f = 0;
#if defined(FM_EIGHTS_OF_FLOATS)
  const __m256 a = _mm256_set1_ps(along), o = _mm256_set1_ps(own);
  const __m256 b1 = _mm256_set1_ps(beta1), b2 = _mm256_set1_ps(beta2);
  const __m256 c1 = _mm256_set1_ps(1 - beta1), c2 = _mm256_set1_ps(1 - beta2);
  const __m256 r = _mm256_set1_ps(rate), e = _mm256_set1_ps(epsilon), k = _mm256_set1_ps(keep);
  for (; f + 8 <= n; f += 8)
    fm_adam_eight(theta + f, mean + f, square + f, direction + f, a, o, b1, b2, c1, c2, r, e, k);
  if (f == n) return;
#endif
  fm_adam_f(theta + f, mean + f, square + f, direction + f, along, own, beta1, beta2, rate,
            epsilon, keep, n - f);
}

FM_INLINE void fm_ftrl_vector_f(float *FM_RESTRICT theta, float *FM_RESTRICT z,
                                float *FM_RESTRICT squares, const float *FM_RESTRICT direction,
                                float along, float own, float l1, float stiffness, float per_rate,
                                Py_ssize_t n) {
  Py_ssize_t f = 0;
#if defined(FM_EIGHTS_OF_FLOATS)
  const __m256 a = _mm256_set1_ps(along), o = _mm256_set1_ps(own), l = _mm256_set1_ps(l1);
  const __m256 s = _mm256_set1_ps(stiffness), p = _mm256_set1_ps(per_rate);
  for (; f + 8 <= n; f += 8)
    fm_ftrl_eight(theta + f, z + f, squares + f, direction + f, a, o, l, s, p);
  if (f == n) return;
#endif
  fm_ftrl_f(theta + f, z + f, squares + f, direction + f, along, own, l1, stiffness, per_rate,
            n - f);
}

FM_INLINE float fm_interactions_vector_f(const float *FM_RESTRICT sums,
                                         const float *FM_RESTRICT squares, Py_ssize_t n) {
#if defined(FM_EIGHTS_OF_FLOATS)
  if (n % 8 == 0) return fm_interactions_of_eights(sums, squares, n);
#endif
  return fm_interactions_f(sums, squares, n);
}

#endif
