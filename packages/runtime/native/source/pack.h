/* Copies of matrix operands in the order the tiles read them. */
#ifndef POTLUCK_PACK_H
#define POTLUCK_PACK_H
#include "program.h"
#include "vector.h"

typedef float F4 __attribute__((vector_size(16)));
typedef float UnalignedF4 __attribute__((vector_size(16), aligned(4), may_alias));
#if defined(__clang__)
#define SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t I4 __attribute__((vector_size(16)));
#define SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, (I4){i, j, k, l})
#endif

/* to[k·pitch + i] = from[i·step + k] for four i and four k. */
INLINE void transpose4(float *to, Long pitch, const float *from, Long step) {
  F4 a = *(const UnalignedF4 *)from, b = *(const UnalignedF4 *)(from + step);
  F4 c = *(const UnalignedF4 *)(from + 2 * step), d = *(const UnalignedF4 *)(from + 3 * step);
  F4 ab = SHUFFLE4(a, b, 0, 4, 1, 5), cd = SHUFFLE4(c, d, 0, 4, 1, 5);
  F4 AB = SHUFFLE4(a, b, 2, 6, 3, 7), CD = SHUFFLE4(c, d, 2, 6, 3, 7);
  *(UnalignedF4 *)to = SHUFFLE4(ab, cd, 0, 1, 4, 5);
  *(UnalignedF4 *)(to + pitch) = SHUFFLE4(ab, cd, 2, 3, 6, 7);
  *(UnalignedF4 *)(to + 2 * pitch) = SHUFFLE4(AB, CD, 0, 1, 4, 5);
  *(UnalignedF4 *)(to + 3 * pitch) = SHUFFLE4(AB, CD, 2, 3, 6, 7);
}

/* to[k·width + n] = from[n·step + k], lines of the source contiguous in k. */
INLINE void packTurned(float *to, const float *from, Long step, Long depth, Long count, Long width) {
  Long n = 0;
  for (; n + 4 <= count; n += 4) {
    Long k = 0;
    for (; k + 4 <= depth; k += 4) transpose4(to + k * width + n, width, from + n * step + k, step);
    for (; k < depth; k++)
      for (Long i = 0; i < 4; i++) to[k * width + n + i] = from[(n + i) * step + k];
  }
  for (; n < count; n++)
    for (Long k = 0; k < depth; k++) to[k * width + n] = from[n * step + k];
}

/* to[k·width + n] = B[k, n] for n < count; the rest of each line is +0. */
static void packB(float *to, const float *from, const Strides *s, Long depth, Long count, Long width) {
  if (s->row == 1 && s->column != 1) {
    packTurned(to, from, s->column, depth, count, width);
  } else if (s->column == 1 && count == width) {
    for (Long k = 0; k < depth; k++)
      for (Long n = 0; n < width; n += LANES) store(to + k * width + n, load(from + k * s->row + n));
  } else {
    for (Long k = 0; k < depth; k++)
      for (Long n = 0; n < count; n++) to[k * width + n] = from[k * s->row + n * s->column];
  }
  if (count < width)
    for (Long k = 0; k < depth; k++) memset(to + k * width + count, 0, (size_t)(width - count) * 4);
}

/* to[k·pitch + m] = A[m, k] for m < count; the rest of each line is left as it is. */
static void packA(float *to, const float *from, const Strides *s, Long depth, Long count, Long pitch) {
  if (s->row == 1 && count == 8) {
    for (Long k = 0; k < depth; k++) *(UnalignedF8 *)(to + k * pitch) = *(const UnalignedF8 *)(from + k * s->column);
    return;
  }
  if (s->row == 1 && count == 4) {
    for (Long k = 0; k < depth; k++) *(UnalignedF4 *)(to + k * pitch) = *(const UnalignedF4 *)(from + k * s->column);
    return;
  }
  for (Long k = 0; k < depth; k++)
    for (Long m = 0; m < count; m++) to[k * pitch + m] = from[m * s->row + k * s->column];
}

#endif
