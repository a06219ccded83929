/* Maps and reductions: what becomes of the blocks that `elements.h` evaluates. */
#ifndef POTLUCK_REDUCE_H
#define POTLUCK_REDUCE_H
#include "elements.h"

/* Below so many elements one thread does the whole operation: waking the others would cost more. */
#define SMALL 4096

static int isAlone(const Elements *e, const Share *share, int *part, int *parts) {
  int isSmall = e->rows * e->columns < SMALL;
  *part = isSmall ? 0 : share->part;
  *parts = isSmall ? 1 : share->parts;
  return isSmall && share->part > 0;
}

static int runMap(const Elements *e, const Share *share) {
  int part, parts, hasBad = 0;
  if (isAlone(e, share, &part, &parts)) return 0;
  Machine m = startMachine(e, share);
  Long fromRow = 0, toRow = e->rows, fromColumn = 0, toColumn = e->columns;
  Long step = rowsInBlock(e, e->columns);
  if (e->rows >= 4 * parts) shareOf(e->rows, step, part, parts, &fromRow, &toRow);
  else shareOf(e->columns, 16, part, parts, &fromColumn, &toColumn);
  if (toColumn - fromColumn < e->columns) step = 1;
  for (Long r = fromRow; r < toRow; r += step) {
    Long rows = toRow - r < step ? toRow - r : step;
    for (Long c = fromColumn; c < toColumn; c += BLOCK) {
      Block block = {r, rows, c, toColumn - c < BLOCK ? toColumn - c : BLOCK};
      Long count = rows * block.columns;
      evaluateBlock(&m, &block, 1);
      for (int s = 0; s < e->slotCount; s++) {
        if (e->slots[s].kind != OUTPUT) continue;
        float *target = (float *)(m.memory + e->outputs[e->slots[s].value]) + r * e->columns + c;
        if (m.place[s] != target) memcpy(target, m.place[s], (size_t)count * 4);
        hasBad |= hasNaN(target, count);
      }
    }
  }
  return hasBad;
}

INLINE F8 larger(F8 a, F8 b) {
  typedef int32_t I8 __attribute__((vector_size(32)));
  I8 mask = a < b;
  return (F8)((mask & (I8)b) | (~mask & (I8)a));
}

/* ((p0 ∘ p4) ∘ (p2 ∘ p6)) ∘ ((p1 ∘ p5) ∘ (p3 ∘ p7)) (E-11). */
static float joinPartials(int kind, const float *p) {
#define JOIN(a, b) (kind == ROW_SUM ? (a) + (b) : (a) < (b) ? (b) : (a))
  float a = JOIN(p[0], p[4]), b = JOIN(p[2], p[6]), c = JOIN(p[1], p[5]), d = JOIN(p[3], p[7]);
  float even = JOIN(a, b), odd = JOIN(c, d);
  return JOIN(even, odd);
}

INLINE void addToPartials(int kind, F8 *partials, const float *x, Long count) {
  F8 p = *partials;
  Long i = 0;
  if (kind == ROW_SUM)
    for (; i + 8 <= count; i += 8) p = p + *(const UnalignedF8 *)(x + i);
  else
    for (; i + 8 <= count; i += 8) p = larger(p, *(const UnalignedF8 *)(x + i));
  *partials = p;
  float *lane = (float *)partials;
  for (; i < count; i++) lane[i & 7] = JOIN(lane[i & 7], x[i]);
}
#undef JOIN

static int reduceRows(int kind, const Elements *e, const Share *share) {
  int part, parts, hasBad = 0;
  if (isAlone(e, share, &part, &parts)) return 0;
  Machine m = startMachine(e, share);
  float *out = (float *)(m.memory + e->outputs[0]);
  float begin = kind == ROW_SUM ? 0.0f : -__builtin_inff();
  Long step = rowsInBlock(e, e->columns), from, to;
  shareOf(e->rows, step, part, parts, &from, &to);
  for (Long r = from; r < to; r += step) {
    Long rows = to - r < step ? to - r : step;
    F8 partials[BLOCK];
    for (Long i = 0; i < rows; i++) partials[i] = begin - (F8){0};
    for (Long c = 0; c < e->columns; c += BLOCK) {
      Block block = {r, rows, c, e->columns - c < BLOCK ? e->columns - c : BLOCK};
      const float *x = evaluateBlock(&m, &block, 0);
      for (Long i = 0; i < rows; i++) addToPartials(kind, &partials[i], x + i * block.columns, block.columns);
    }
    for (Long i = 0; i < rows; i++) out[r + i] = joinPartials(kind, (const float *)&partials[i]);
    hasBad |= hasNaN(out + r, rows);
  }
  return hasBad;
}

/* Columns are shared among threads; rows are added in ascending order (E-12). */
static int sumColumns(const Elements *e, const Share *share) {
  int part, parts;
  if (isAlone(e, share, &part, &parts)) return 0;
  Machine m = startMachine(e, share);
  float *out = (float *)(m.memory + e->outputs[0]);
  Long from, to;
  shareOf(e->columns, 16, part, parts, &from, &to);
  for (Long c = from; c < to; c += BLOCK) {
    Long columns = to - c < BLOCK ? to - c : BLOCK;
    Long step = rowsInBlock(e, columns);
    memset(out + c, 0, (size_t)columns * 4);
    for (Long r = 0; r < e->rows; r += step) {
      Block block = {r, e->rows - r < step ? e->rows - r : step, c, columns};
      const float *x = evaluateBlock(&m, &block, 0);
      for (Long i = 0; i < block.rows; i++, x += columns) {
        Long j = 0;
        for (; j + LANES <= columns; j += LANES) store(out + c + j, load(out + c + j) + load(x + j));
        for (; j < columns; j++) out[c + j] = out[c + j] + x[j];
      }
    }
  }
  return hasNaN(out + from, to - from);
}

static int runElements(const Operation *operation, const Share *share) {
  const Elements *e = &operation->as.elements;
  if (operation->kind == MAP) return runMap(e, share);
  if (operation->kind == COLUMN_SUM) return sumColumns(e, share);
  return reduceRows(operation->kind, e, share);
}

#endif
