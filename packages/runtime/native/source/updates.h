/*
 * The two passes over updates that an aggregation makes (L-13): sums over the elements of each, and the weighted sum of all. Updates
 * lie wherever they lie; none is copied. A block of columns stays in the nearest cache while several updates go past it.
 */
#ifndef POTLUCK_UPDATES_H
#define POTLUCK_UPDATES_H
#include "reduce.h"

/* Columns of a block: 32 KB of the reference, or of the sum. A multiple of 8, so that every partial goes on where it stopped. */
#define UPDATE_BLOCK 8192

/* Of each update the partial sums (E-11) of squares and of products with the reference; `rows` of them at a time. */
INLINE void sumBlock(int rows, const float *const *x, const float *reference, Long count, F8 *squares, F8 *dots) {
  F8 s[4], d[4];
  Long i = 0;
  for (int r = 0; r < rows; r++) s[r] = squares[r], d[r] = dots[r];
  for (; i + 8 <= count; i += 8) {
    F8 by = *(const UnalignedF8 *)(reference + i);
    for (int r = 0; r < rows; r++) {
      F8 value = *(const UnalignedF8 *)(x[r] + i);
      s[r] = s[r] + value * value;
      d[r] = d[r] + value * by;
    }
  }
  for (int r = 0; r < rows; r++) {
    squares[r] = s[r], dots[r] = d[r];
    float *square = (float *)&squares[r], *dot = (float *)&dots[r];
    for (Long j = i; j < count; j++) {
      float value = x[r][j];
      square[j - i] = square[j - i] + value * value;
      dot[j - i] = dot[j - i] + value * reference[j];
    }
  }
}

/* Threads share the updates: a sum over one of them is never split. */
static void measureUpdates(const Updates *u, int part, int parts) {
  Long from, to;
  shareOf(u->count, 1, part, parts, &from, &to);
  for (Long group = from; group < to; group += MOST_TOGETHER) {
    Long rows = to - group < MOST_TOGETHER ? to - group : MOST_TOGETHER;
    F8 squares[MOST_TOGETHER] = {0}, dots[MOST_TOGETHER] = {0};
    for (Long c = 0; c < u->length; c += UPDATE_BLOCK) {
      Long count = u->length - c < UPDATE_BLOCK ? u->length - c : UPDATE_BLOCK;
      const float *x[MOST_TOGETHER];
      for (Long r = 0; r < rows; r++) x[r] = u->updates[group + r] + c;
      Long r = 0;
      for (; r + 4 <= rows; r += 4) sumBlock(4, x + r, u->reference + c, count, squares + r, dots + r);
      for (; r + 2 <= rows; r += 2) sumBlock(2, x + r, u->reference + c, count, squares + r, dots + r);
      for (; r < rows; r++) sumBlock(1, x + r, u->reference + c, count, squares + r, dots + r);
    }
    for (Long r = 0; r < rows; r++) {
      u->squares[group + r] = joinPartials(ROW_SUM, (const float *)&squares[r]);
      u->dots[group + r] = joinPartials(ROW_SUM, (const float *)&dots[r]);
    }
  }
}

INLINE void addBlock(int rows, const float *const *x, const float *factors, float *moved, Long count) {
  Long i = 0;
  for (; i + LANES <= count; i += LANES) {
    V sum = load(moved + i);
    for (int r = 0; r < rows; r++) sum = sum + load(x[r] + i) * broadcast(factors[r]);
    store(moved + i, sum);
  }
  for (; i < count; i++)
    for (int r = 0; r < rows; r++) moved[i] = moved[i] + x[r][i] * factors[r];
}

/* Threads share the columns: updates are added in ascending order (E-12). */
static void addUpdates(const Updates *u, int part, int parts) {
  Long from, to;
  shareOf(u->length, 16, part, parts, &from, &to);
  for (Long c = from; c < to; c += UPDATE_BLOCK) {
    Long count = to - c < UPDATE_BLOCK ? to - c : UPDATE_BLOCK;
    const float *x[MOST_TOGETHER];
    for (Long group = 0; group < u->count; group += MOST_TOGETHER) {
      Long rows = u->count - group < MOST_TOGETHER ? u->count - group : MOST_TOGETHER, r = 0;
      for (Long i = 0; i < rows; i++) x[i] = u->updates[group + i] + c;
      const float *factors = u->factors + group;
      if (rows == MOST_TOGETHER) addBlock(MOST_TOGETHER, x, factors, u->moved + c, count), r = rows;
      for (; r + 4 <= rows; r += 4) addBlock(4, x + r, factors + r, u->moved + c, count);
      for (; r < rows; r++) addBlock(1, x + r, factors + r, u->moved + c, count);
    }
  }
}

#endif
