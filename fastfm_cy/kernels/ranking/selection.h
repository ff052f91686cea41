/* Whether one of 16 scores lies above a threshold. */
#ifndef FASTFM_CY_SELECTION_H
#define FASTFM_CY_SELECTION_H

#include "vector.h"

#define FM_DEFINE_ANY_ABOVE(real, suffix)                                          \
  FM_INLINE int fm_any_above_##suffix(const real *scores, real threshold) {        \
    int any = 0;                                                                   \
    for (int i = 0; i < 16; i++) any |= scores[i] > threshold;                     \
    return any;                                                                    \
  }

#if defined(__AVX2__)
FM_INLINE int fm_any_above_f(const float *scores, float threshold) {
  const __m256 bound = _mm256_set1_ps(threshold);
  const __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(scores), bound, _CMP_GT_OQ);
  const __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(scores + 8), bound, _CMP_GT_OQ);
  return _mm256_movemask_ps(_mm256_or_ps(low, high));
}
#elif defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
FM_INLINE int fm_any_above_f(const float *scores, float threshold) {
  const __m128 bound = _mm_set1_ps(threshold);
  __m128 any = _mm_cmpgt_ps(_mm_loadu_ps(scores), bound);
  any = _mm_or_ps(any, _mm_cmpgt_ps(_mm_loadu_ps(scores + 4), bound));
  any = _mm_or_ps(any, _mm_cmpgt_ps(_mm_loadu_ps(scores + 8), bound));
  any = _mm_or_ps(any, _mm_cmpgt_ps(_mm_loadu_ps(scores + 12), bound));
  return _mm_movemask_ps(any);
}
#else
FM_DEFINE_ANY_ABOVE(float, f)
#endif
FM_DEFINE_ANY_ABOVE(double, d)

#endif
