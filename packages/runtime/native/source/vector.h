/*
 * Vectors of LANES f32 or i32 and what the kernels do with them. A file that includes this one is compiled once for every
 * level of the processor; LEVEL names the level and ends every exported name. There is no fused multiply-add in here,
 * and -ffp-contract=off keeps the compiler from making one (E-01).
 */
#ifndef POTLUCK_VECTOR_H
#define POTLUCK_VECTOR_H
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#include <math.h>
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float V __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));
typedef uint32_t U __attribute__((vector_size(LANES * 4)));
typedef float UnalignedV __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef float F8 __attribute__((vector_size(32)));
typedef float UnalignedF8 __attribute__((vector_size(32), aligned(4), may_alias));

INLINE V load(const float *from) { return *(const UnalignedV *)from; }
INLINE void store(float *to, V value) { *(UnalignedV *)to = value; }
INLINE V broadcast(float value) { return value - (V){0}; }
INLINE V pick(I mask, V yes, V no) { return (V)((mask & (I)yes) | (~mask & (I)no)); }

INLINE V squareRoot(V x) {
#if LANES == 16
  return (V)_mm512_sqrt_ps((__m512)x);
#elif LANES == 8
  return (V)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
  return (V)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (V)vsqrtq_f32((float32x4_t)x);
#else
  V y;
  for (int i = 0; i < LANES; i++) y[i] = sqrtf(x[i]);
  return y;
#endif
}

/* Whether any lane is set. */
INLINE int isAny(I mask) {
#if LANES == 16
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif LANES == 8
  return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__x86_64__)
  return _mm_movemask_ps((__m128)mask) != 0;
#else
  int any = 0;
  for (int i = 0; i < LANES; i++) any |= mask[i];
  return any != 0;
#endif
}

/* Whether one of `count` numbers is NaN. */
INLINE int hasNaN(const float *x, int64_t count) {
  I seen = {0};
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    V value = load(x + i);
    seen |= (I)(value != value);
  }
  int found = isAny(seen);
  for (; i < count; i++) found |= x[i] != x[i];
  return found;
}

/* The half-open range of `count` units that thread `part` of `parts` works on, in steps of `step`. */
INLINE void shareOf(int64_t count, int64_t step, int part, int parts, int64_t *from, int64_t *to) {
  int64_t steps = (count + step - 1) / step;
  int64_t first = steps * part / parts * step;
  int64_t last = steps * (part + 1) / parts * step;
  *from = first < count ? first : count;
  *to = last < count ? last : count;
}

#define PASTE2(a, b) a##_##b
#define PASTE(a, b) PASTE2(a, b)
#define AT_LEVEL(name) PASTE(name, LEVEL)

#endif
