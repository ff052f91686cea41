/* The memory bound of training: visits the same rows in the same order, reads their entries, reads
   and rewrites each parameter row (times `one`), and computes nothing else. Prefetches as far ahead
   as training does. */
#include <stdint.h>

void touch_rows(const int64_t *indptr, const int32_t *indices, const float *data,
                const int64_t *order, int64_t n, float *linear, int64_t linear_stride,
                float *factors, int64_t factor_stride, int64_t distance,
                float one) {
  for (int64_t i = 0; i < n; i++) {
    int64_t ahead = -1;
    if (i + 2 * distance < n) {
      if (i + 3 * distance < n) __builtin_prefetch(indptr + order[i + 3 * distance]);
      int64_t far = order[i + 2 * distance];
      for (int64_t e = indptr[far]; e < indptr[far + 1]; e += 16) {
        __builtin_prefetch(indices + e);
        __builtin_prefetch(data + e);
      }
      ahead = order[i + distance];
    }
    int64_t start = indptr[order[i]], length = indptr[order[i] + 1] - start;
    int64_t next = ahead < 0 ? 0 : indptr[ahead];
    int64_t n_next = ahead < 0 ? 0 : indptr[ahead + 1] - next;
    for (int64_t e = 0; e < length || e < n_next; e++) {
      if (e < n_next) {
        const float *row = factors + indices[next + e] * factor_stride;
        for (int64_t f = 0; f < factor_stride; f += 16) __builtin_prefetch(row + f);
        __builtin_prefetch(linear + indices[next + e] * linear_stride);
      }
      if (e < length) {
        float *row = factors + indices[start + e] * factor_stride;
        for (int64_t f = 0; f < factor_stride; f += 16)
          for (int64_t g = 0; g < 16; g++) row[f + g] *= one;
        linear[indices[start + e] * linear_stride] *= one + 0 * data[start + e];
      }
    }
  }
}
