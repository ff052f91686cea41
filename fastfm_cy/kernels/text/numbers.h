/* What only C can say about 64-bit integers: the long product and the leading zeros. */
#ifndef FASTFM_CY_NUMBER_H
#define FASTFM_CY_NUMBER_H

#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static __inline uint64_t fm_product(uint64_t a, uint64_t b, uint64_t *high) {
  *high = __umulh(a, b);
  return a * b;
}
static __inline int fm_leading_zeros(uint64_t a) {
  unsigned long top;
  _BitScanReverse64(&top, a);
  return 63 - (int)top;
}
#else
static inline uint64_t fm_product(uint64_t a, uint64_t b, uint64_t *high) {
  unsigned __int128 product = (unsigned __int128)a * b;
  *high = (uint64_t)(product >> 64);
  return (uint64_t)product;
}
static inline int fm_leading_zeros(uint64_t a) { return __builtin_clzll(a); }
#endif

static inline double fm_double_of_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Powers of ten that a double holds exactly. */
static const double fm_exact_powers[23] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

#endif
