/*
 * The block machine: each instruction of a scalar program runs over a block of elements that stays in the first-level cache,
 * one vector loop an instruction. An argument with step 0 is one vector of equal numbers.
 */
#ifndef POTLUCK_SCALAR_H
#define POTLUCK_SCALAR_H
#include "program.h"
#include "vector.h"

/* The constants of e^x in the order `encodeScalar.ts` lists them, one vector each (E-06). */
enum { EXP_BIAS, EXP_LOG2E, EXP_LN2_HIGH, EXP_LN2_LOW, EXP_HALF, EXP_ONE, EXP_UNDERFLOW, EXP_OVERFLOW, EXP_POLYNOMIAL };
#define EXP_COEFFICIENTS 5

/* 2^n of an integer-valued f32: the low bits of n + 1.5·2^23 are n, shifted into the exponent. */
INLINE V powerOfTwo(V n, V bias) { return (V)(((U)(n + bias) << 23) + 0x3f800000u); }

/* e^x, instruction by instruction as `scalar/functions.ts` writes it; every one rounds once. */
INLINE V exponential(V x, const float *k) {
#define K(i) (*(const V *)(k + (i) * LANES))
  V bias = K(EXP_BIAS);
  V n = (x * K(EXP_LOG2E) + bias) - bias;
  V r = (x - n * K(EXP_LN2_HIGH)) - n * K(EXP_LN2_LOW);
  V q = K(EXP_POLYNOMIAL);
#pragma GCC unroll 8
  for (int i = 1; i < EXP_COEFFICIENTS; i++) q = q * r + K(EXP_POLYNOMIAL + i);
  V p = K(EXP_ONE) + (r + (r * r) * q);
  V h = (n * K(EXP_HALF) + bias) - bias;
  V y = (p * powerOfTwo(h, bias)) * powerOfTwo(n - h, bias);
  y = (V)(~(I)(x < K(EXP_UNDERFLOW)) & (I)y);
  return pick((I)(K(EXP_OVERFLOW) < x), broadcast(__builtin_inff()), y);
#undef K
}

#define EACH(...)                                     \
  for (Long i = 0; i < n; i += LANES) {               \
    __VA_ARGS__                                       \
    o += LANES;                                       \
  }                                                   \
  break;
#define A V x = load(a); a += sa;
#define AB A V y = load(b); b += sb;
#define ABC AB V z = load(c); c += sc;
#define ABCD ABC V w = load(d); d += sd;

/* Runs instructions over n elements, a multiple of LANES. `place` and `step` say where each slot lies. */
static void runInstructions(const Instruction *list, int count, float **place, const Long *step, Long n) {
  for (const Instruction *at = list; at < list + count; at++) {
    float *o = place[at->out];
    const float *a = place[at->a], *b = place[at->b], *c = place[at->c], *d = place[at->d];
    Long sa = step[at->a], sb = step[at->b], sc = step[at->c], sd = step[at->d];
    int bits = at->immediate & 31;
    switch (at->operation) {
      case B_COPY: EACH(A store(o, x);)
      case B_ADD: EACH(AB store(o, x + y);)
      case B_SUBTRACT: EACH(AB store(o, x - y);)
      case B_MULTIPLY: EACH(AB store(o, x * y);)
      case B_DIVIDE: EACH(AB store(o, x / y);)
      case B_SQRT: EACH(A store(o, squareRoot(x));)
      case B_NEGATE: EACH(A store(o, (V)((U)x ^ 0x80000000u));)
      case B_ABSOLUTE: EACH(A store(o, (V)((U)x & 0x7fffffffu));)
      case B_LESS: EACH(AB store(o, (V)(x < y));)
      case B_LESS_OR_EQUAL: EACH(AB store(o, (V)(x <= y));)
      case B_EQUAL: EACH(AB store(o, (V)(x == y));)
      case B_SELECT: EACH(ABC store(o, pick((I)x, y, z));)
      case B_TO_FLOAT: EACH(A store(o, __builtin_convertvector((I)x, V));)
      case B_INTEGER_ADD: EACH(AB store(o, (V)((U)x + (U)y));)
      case B_INTEGER_SUBTRACT: EACH(AB store(o, (V)((U)x - (U)y));)
      case B_SHIFT_LEFT: EACH(A store(o, (V)((U)x << bits));)
      case B_SHIFT_RIGHT: EACH(A store(o, (V)((I)x >> bits));)
      case B_INTEGER_EQUAL: EACH(AB store(o, (V)((I)x == (I)y));)
      case B_INTEGER_LESS_OR_EQUAL: EACH(AB store(o, (V)((I)x <= (I)y));)
      case B_MULTIPLY_ADD: EACH(ABC store(o, x * y + z);)
      case B_MULTIPLY_SUBTRACT: EACH(ABC store(o, x * y - z);)
      case B_SUBTRACT_PRODUCT: EACH(ABC store(o, z - x * y);)
      case B_SELECT_LESS: EACH(ABCD store(o, pick((I)(x < y), z, w));)
      case B_SELECT_LESS_OR_EQUAL: EACH(ABCD store(o, pick((I)(x <= y), z, w));)
      case B_SELECT_EQUAL: EACH(ABCD store(o, pick((I)(x == y), z, w));)
      case B_SELECT_INTEGER_EQUAL: EACH(ABCD store(o, pick((I)x == (I)y, z, w));)
      case B_SELECT_INTEGER_LESS_OR_EQUAL: EACH(ABCD store(o, pick((I)x <= (I)y, z, w));)
      case B_EXP: EACH(A store(o, exponential(x, b));)
    }
  }
}

#endif
