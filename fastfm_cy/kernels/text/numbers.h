/* What only C can say about 64-bit integers: the long product, the zeros at their ends, and eight
   digits at a time. */
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
static __inline int fm_trailing_zeros(uint64_t a) {
  unsigned long bottom;
  _BitScanForward64(&bottom, a);
  return (int)bottom;
}
#else
static inline uint64_t fm_product(uint64_t a, uint64_t b, uint64_t *high) {
  unsigned __int128 product = (unsigned __int128)a * b;
  *high = (uint64_t)(product >> 64);
  return (uint64_t)product;
}
static inline int fm_leading_zeros(uint64_t a) { return __builtin_clzll(a); }
static inline int fm_trailing_zeros(uint64_t a) { return __builtin_ctzll(a); }
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

static const uint64_t fm_integer_powers[9] = {1,      10,      100,      1000,     10000,
                                              100000, 1000000, 10000000, 100000000};

#if (defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) || defined(_MSC_VER)
  #define FM_FIRST_BYTE_IS_LOWEST
#endif

/* After the digits that begin at p, of a text up to `end`; they are appended to the value, modulo
   2^64. Eight bytes are read at once, where the text has them: how many of them are digits is then
   no branch, which would often be guessed wrong. Neighbouring digits, then pairs, then fours become
   one number by a product each. */
static inline const uint8_t *fm_digits(const uint8_t *p, const uint8_t *end, uint64_t *value) {
  uint64_t total = *value;
#if defined(FM_FIRST_BYTE_IS_LOWEST)
  while (end - p >= 8) {
    uint64_t eight, beyond;
    int n = 8;
    memcpy(&eight, p, 8);
    eight ^= 0x3030303030303030ULL;
    beyond = (eight | (eight + 0x7676767676767676ULL)) & 0x8080808080808080ULL; /* above 9 */
    if (beyond) {
      n = fm_trailing_zeros(beyond) >> 3;
      eight = eight << (56 - 8 * n) << 8; /* zeros in front; 64 were too many for one shift */
    }
    eight = eight * (1 + (10 << 8)) >> 8;
    eight = (eight & 0x00FF00FF00FF00FFULL) * (1 + (100ULL << 16)) >> 16;
    eight = (eight & 0x0000FFFF0000FFFFULL) * (1 + (10000ULL << 32)) >> 32;
    total = total * fm_integer_powers[n] + eight;
    p += n;
    if (n < 8 || (uint8_t)(*p - '0') > 9) {
      *value = total;
      return p;
    }
  }
#endif
  for (; (uint8_t)(*p - '0') < 10; p++) total = 10 * total + (uint64_t)(*p - '0');
  *value = total;
  return p;
}

/* Where a decimal number of at most 15 digits and without an exponent ends, the most frequent kind;
   NULL if none begins at p, or the text's end is near. One exactly rounded division makes it. */
static inline const uint8_t *fm_short_number(const uint8_t *p, const uint8_t *end, double *value) {
  const int negative = *p == '-';
  const uint8_t *first = p += negative, *point;
  uint64_t mantissa = (uint64_t)(*p - '0');
  int behind = 0;
  double size;
  if (mantissa > 9 || end - p < 32) return 0;
  if ((uint8_t)(*++p - '0') < 10) p = fm_digits(p, end, &mantissa);
  if (*p == '.') {
    point = ++p;
    p = fm_digits(p, end, &mantissa);
    behind = (int)(p - point);
  }
  if (p - first > 16 || (*p | 32) == 'e') return 0;
  size = (double)(int64_t)mantissa / fm_exact_powers[behind];
  *value = negative ? -size : size;
  return p;
}

#endif
