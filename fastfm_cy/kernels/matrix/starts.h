/* Start values by counter: 128 bits of place and 64 bits of key give four random words (Philox4x32
   with ten rounds: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
   2011), and two words two normal values (Box & Muller 1958).

   The bits are the same wherever float arithmetic is IEEE 754's: every function is a polynomial or
   a series of our own, and setup.py forbids contraction to fused multiply-adds. */
#ifndef FASTFM_CY_STARTS_H
#define FASTFM_CY_STARTS_H

#include "vector.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef _MSC_VER
#pragma fp_contract(off)
#endif

#define FM_LANES 64 /* counters at a time */
#define FM_WORDS 4  /* of a counter */

/* Word w of counter l is counters[w][l]; its numbers come out as numbers[4 * l + w]. */
typedef struct {
  uint32_t counters[FM_WORDS][FM_LANES];
  float numbers[FM_WORDS * FM_LANES];
} FMStarts;

/* On four variables rather than an array, which would not be vectorised. */
#define FM_PHILOX_ROUND(number)                                                                   \
  {                                                                                               \
    const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;                \
    c0 = (uint32_t)(b >> 32) ^ c1 ^ (k0 + number##u * 0x9E3779B9u);                               \
    c2 = (uint32_t)(a >> 32) ^ c3 ^ (k1 + number##u * 0xBB67AE85u);                               \
    c1 = (uint32_t)b;                                                                             \
    c3 = (uint32_t)a;                                                                             \
  }

FM_INLINE float fm_float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

FM_INLINE uint32_t fm_bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* sqrt(-2 log u) of u = (word / 2 + 1/2) / 2^31, in (0, 1]. With u = 2^e m, m from sqrt(1/2) to
   sqrt(2), log m = 2 artanh s, s = (m - 1) / (m + 1), by Taylor's series. */
FM_INLINE float fm_radius(uint32_t word) {
  const float u = ((float)(int32_t)(word >> 1) + 0.5f) * 0x1p-31f;
  const uint32_t root_half = 0x3F3504F3u;
  const uint32_t shifted = fm_bits_of(u) - root_half;
  const int32_t e = (int32_t)shifted >> 23;
  const float m = fm_float_of(fm_bits_of(u) - ((uint32_t)e << 23));
  const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
  const float series = 1.0f + z * (0x1.555556p-2f + z * (0x1.99999ap-3f + z * (0x1.24924ap-3f +
                       z * 0x1.c71c72p-4f)));
  const float minus_log = (float)e * -0x1.62e430p-1f - 2.0f * s * series;
  return sqrtf(2.0f * minus_log);
}

/* Cosine and sine of 2 pi word / 2^32: the nearest quarter turn, and Taylor's series of the rest. */
FM_INLINE void fm_turn(uint32_t word, float *cosine, float *sine) {
  const uint32_t quarter = (word + 0x20000000u) >> 30;
  const int32_t rest = (int32_t)(word - (quarter << 30));
  const float a = (float)rest * 0x1.921fb6p-30f, z = a * a; /* 2 pi / 2^32 */
  const float c = 1.0f + z * (-0.5f + z * (0x1.555556p-5f + z * (-0x1.6c16c2p-10f +
                  z * (0x1.a01a02p-16f + z * -0x1.27e4fcp-22f))));
  const float s = a * (1.0f + z * (-0x1.555556p-3f + z * (0x1.111112p-7f + z * (-0x1.a01a02p-13f +
                  z * 0x1.71de3ap-19f))));
  const uint32_t odd = 0u - (quarter & 1u), bits_c = fm_bits_of(c), bits_s = fm_bits_of(s);
  const uint32_t first = bits_c ^ ((bits_c ^ bits_s) & odd);
  const uint32_t second = bits_s ^ ((bits_c ^ bits_s) & odd);
  *cosine = fm_float_of(first ^ (((quarter + 1u) & 2u) << 30));
  *sine = fm_float_of(second ^ ((quarter & 2u) << 30));
}

static void fm_words(FMStarts *starts, uint64_t key) {
  const uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  uint32_t(*counters)[FM_LANES] = starts->counters;
  FM_SIMD for (int l = 0; l < FM_LANES; l++) {
    uint32_t c0 = counters[0][l], c1 = counters[1][l], c2 = counters[2][l], c3 = counters[3][l];
    FM_PHILOX_ROUND(0) FM_PHILOX_ROUND(1) FM_PHILOX_ROUND(2) FM_PHILOX_ROUND(3) FM_PHILOX_ROUND(4)
    FM_PHILOX_ROUND(5) FM_PHILOX_ROUND(6) FM_PHILOX_ROUND(7) FM_PHILOX_ROUND(8) FM_PHILOX_ROUND(9)
    counters[0][l] = c0;
    counters[1][l] = c1;
    counters[2][l] = c2;
    counters[3][l] = c3;
  }
}

/* Standard normal values; the counters become random words. */
static void fm_normals(FMStarts *starts, uint64_t key) {
  float *FM_RESTRICT out = starts->numbers;
  fm_words(starts, key);
  FM_SIMD for (int l = 0; l < FM_LANES; l++) {
    float c0, s0, c1, s1;
    const float r0 = fm_radius(starts->counters[0][l]), r1 = fm_radius(starts->counters[2][l]);
    fm_turn(starts->counters[1][l], &c0, &s0);
    fm_turn(starts->counters[3][l], &c1, &s1);
    out[4 * l] = r0 * c0;
    out[4 * l + 1] = r0 * s0;
    out[4 * l + 2] = r1 * c1;
    out[4 * l + 3] = r1 * s1;
  }
}

/* Values from a uniform distribution on [0, 1), of 24 bits. */
static void fm_uniforms(FMStarts *starts, uint64_t key) {
  float *FM_RESTRICT out = starts->numbers;
  fm_words(starts, key);
  for (int w = 0; w < FM_WORDS; w++) {
    FM_SIMD for (int l = 0; l < FM_LANES; l++) {
      out[4 * l + w] = (float)(int32_t)(starts->counters[w][l] >> 8) * 0x1p-24f;
    }
  }
}

#endif
