/*
 * Products of matrices with any strides. B is packed into panels of up to PANEL vectors of columns that stay in the caches; tiles of
 * TILE rows run over them. Every element is one running sum over k, ascending (E-10): where k is cut, the sum waits in
 * the output and is taken up again.
 */
#ifndef POTLUCK_MATMUL_H
#define POTLUCK_MATMUL_H
#include "kernels.h"
#include "pack.h"

/*
 * Rows and vectors of a tile: as many sums as the registers hold beside the operands. Rivals measured on Zen 5: at 16 lanes
 * 8·2 gives 0.95 of the speed, at 8 lanes 6·2 0.96 and 4·2 0.90, at 4 lanes 4·2 0.93.
 */
#define PANEL 3
#if LANES == 16 || defined(__aarch64__)
#define TILE 8
#else
#define TILE 4
#endif
/* k in one go: a panel of B then takes at most 48 KiB. Rows of A in one go: they stay in the second-level cache. */
#define K_STEP 256
#define M_STEP 192
#define N_STEP 3072
/* Rows up to which B is read where it lies, once, without packing. */
#define FEW_ROWS 4

typedef struct {
  Long k, aRow, aColumn, outPitch;
  const float *a, *b;
  float *out;
  int isContinued, isLast;
} Tile;

INLINE int runTile(const int rows, const int vectors, const int isPacked, const Tile *t) {
  V sum[TILE][PANEL];
  const Long aRow = isPacked ? 1 : t->aRow, aColumn = isPacked ? TILE : 1;
  const float *a = t->a, *b = t->b;
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++)
      sum[i][j] = t->isContinued ? load(t->out + i * t->outPitch + j * LANES) : (V){0};
  for (Long k = 0; k < t->k; k++) {
    V right[PANEL];
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++) right[j] = *(const V *)(b + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
      V left = broadcast(a[i * aRow]);
#pragma GCC unroll 8
      for (int j = 0; j < vectors; j++) sum[i][j] = sum[i][j] + left * right[j];
    }
    a += aColumn;
    b += vectors * LANES;
  }
  I bad = {0};
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
    for (int j = 0; j < vectors; j++) {
      store(t->out + i * t->outPitch + j * LANES, sum[i][j]);
      bad |= (I)(sum[i][j] != sum[i][j]);
    }
  return t->isLast && isAny(bad);
}

typedef int (*TileFunction)(const Tile *tile);
#define TILE_FUNCTION(rows, vectors)                                                                    \
  static int tile_##rows##_##vectors##_direct(const Tile *t) { return runTile(rows, vectors, 0, t); } \
  static int tile_##rows##_##vectors##_packed(const Tile *t) { return runTile(rows, vectors, 1, t); }
#define TILE_ENTRY(rows, vectors) {tile_##rows##_##vectors##_direct, tile_##rows##_##vectors##_packed}
#if TILE == 8
#define ALL_ROWS(F, v) F(1, v) F(2, v) F(3, v) F(4, v) F(5, v) F(6, v) F(7, v) F(8, v)
#define LIST_ROWS(F, v) {F(1, v), F(2, v), F(3, v), F(4, v), F(5, v), F(6, v), F(7, v), F(8, v)}
#else
#define ALL_ROWS(F, v) F(1, v) F(2, v) F(3, v) F(4, v)
#define LIST_ROWS(F, v) {F(1, v), F(2, v), F(3, v), F(4, v)}
#endif
ALL_ROWS(TILE_FUNCTION, 1)
ALL_ROWS(TILE_FUNCTION, 2)
ALL_ROWS(TILE_FUNCTION, 3)
static const TileFunction tileFunctions[PANEL][TILE][2] = {
    LIST_ROWS(TILE_ENTRY, 1),
    LIST_ROWS(TILE_ENTRY, 2),
    LIST_ROWS(TILE_ENTRY, 3),
};

/* Vectors of the next panel when `left` columns remain: never a narrow one at the end where two of equal width do. */
INLINE int panelVectors(Long left) {
  Long vectors = (left + LANES - 1) / LANES;
  if (vectors <= PANEL) return (int)vectors;
  return vectors == PANEL + 1 ? (int)(vectors / 2) : PANEL;
}

/* A tile whose output is not whole vectors, or not contiguous, is computed aside and copied. */
static int runAside(TileFunction run, Tile tile, float *out, const Strides *s, Long rows, Long columns, int width) {
  float aside[TILE * PANEL * LANES] __attribute__((aligned(64)));
  int hasBad = 0;
  if (tile.isContinued) {
    memset(aside, 0, sizeof aside);
    for (Long i = 0; i < rows; i++)
      for (Long j = 0; j < columns; j++) aside[i * width + j] = out[i * s->row + j * s->column];
  }
  tile.out = aside;
  tile.outPitch = width;
  run(&tile);
  for (Long i = 0; i < rows; i++)
    for (Long j = 0; j < columns; j++) {
      float value = aside[i * width + j];
      out[i * s->row + j * s->column] = value;
      hasBad |= value != value;
    }
  return tile.isLast && hasBad;
}

/* One product, output rows m0 … m1 − 1 and columns n0 … n1 − 1. */
static int multiplyRange(const Matmul *o, const float *a, const float *b, float *c, Long m0, Long m1, Long n0, Long n1,
                         float *scratch) {
  int isPacked = o->a.column != 1, hasBad = 0;
  float *panels = scratch, *packedA = scratch + K_STEP * (N_STEP + PANEL * LANES);
  for (Long n = n0; n < n1; n += N_STEP) {
    Long nEnd = n1 - n < N_STEP ? n1 : n + N_STEP;
    for (Long k = 0; k < o->K; k += K_STEP) {
      Long depth = o->K - k < K_STEP ? o->K - k : K_STEP;
      float *panel = panels;
      for (Long j = n; j < nEnd;) {
        int width = panelVectors(nEnd - j) * LANES;
        packB(panel, b + k * o->b.row + j * o->b.column, &o->b, depth, nEnd - j < width ? nEnd - j : width, width);
        panel += depth * width;
        j += width;
      }
      for (Long m = m0; m < m1; m += M_STEP) {
        Long mEnd = m1 - m < M_STEP ? m1 : m + M_STEP;
        if (isPacked)
          for (Long i = m; i < mEnd; i += TILE)
            packA(packedA + (i - m) * depth, a + i * o->a.row + k * o->a.column, &o->a, depth,
                  mEnd - i < TILE ? mEnd - i : TILE, TILE);
        panel = panels;
        for (Long j = n; j < nEnd;) {
          int vectors = panelVectors(nEnd - j), width = vectors * LANES;
          Long columns = nEnd - j < width ? nEnd - j : width;
          for (Long i = m; i < mEnd; i += TILE) {
            Long rows = mEnd - i < TILE ? mEnd - i : TILE;
            float *out = c + i * o->c.row + j * o->c.column;
            Tile tile = {depth, o->a.row, o->a.column, o->c.row,
                         isPacked ? packedA + (i - m) * depth : a + i * o->a.row + k, panel, out, k > 0, k + depth == o->K};
            TileFunction run = tileFunctions[vectors - 1][rows - 1][isPacked];
            if (columns == width && o->c.column == 1) hasBad |= run(&tile);
            else hasBad |= runAside(run, tile, out, &o->c, rows, columns, width);
          }
          panel += depth * width;
          j += width;
        }
      }
    }
  }
  return hasBad;
}

/* Few rows, B row-major: B is read once, line after line, and the sums wait in the output, which stays in the cache. */
static int multiplyFewRows(const Matmul *o, const float *a, const float *b, float *c, Long n0, Long n1) {
  int hasBad = 0;
  for (Long n = n0; n < n1; n += 1024) {
    Long count = n1 - n < 1024 ? n1 - n : 1024;
    for (Long m = 0; m < o->M; m++) memset(c + m * o->c.row + n, 0, (size_t)count * 4);
    for (Long k = 0; k < o->K; k += 4) {
      Long depth = o->K - k < 4 ? o->K - k : 4;
      for (Long m = 0; m < o->M; m++) {
        float *out = c + m * o->c.row + n;
        const float *line = b + k * o->b.row + n, *left = a + m * o->a.row + k * o->a.column;
        Long j = 0;
        if (depth == 4) {
          V x0 = broadcast(left[0]), x1 = broadcast(left[o->a.column]), x2 = broadcast(left[2 * o->a.column]),
            x3 = broadcast(left[3 * o->a.column]);
          for (; j + LANES <= count; j += LANES) {
            V sum = load(out + j) + x0 * load(line + j);
            sum = sum + x1 * load(line + o->b.row + j);
            sum = sum + x2 * load(line + 2 * o->b.row + j);
            store(out + j, sum + x3 * load(line + 3 * o->b.row + j));
          }
        }
        for (; j < count; j++) {
          float sum = out[j];
          for (Long p = 0; p < depth; p++) sum = sum + left[p * o->a.column] * line[p * o->b.row + j];
          out[j] = sum;
        }
      }
    }
    for (Long m = 0; m < o->M; m++) hasBad |= hasNaN(c + m * o->c.row + n, count);
  }
  return hasBad;
}

/* Shares whole products when there are enough of them, else the columns or rows of each, whichever divides more evenly. */
static int runMatmul(const Matmul *o, const Share *share) {
  Long products = o->groups * o->subgroups, g0 = 0, g1 = products, m0 = 0, m1 = o->M, n0 = 0, n1 = o->N;
  int parts = share->parts, part = share->part, hasBad = 0;
  if (products * o->M * o->N * o->K < 32768) {
    if (part > 0) return 0;
  } else if (products % parts == 0 || products >= 8 * parts) {
    shareOf(products, 1, part, parts, &g0, &g1);
  } else {
    Long columnSteps = (o->N + 2 * LANES - 1) / (2 * LANES), rowSteps = (o->M + TILE - 1) / TILE;
    double byColumns = (double)columnSteps / (double)((columnSteps + parts - 1) / parts);
    double byRows = (double)rowSteps / (double)((rowSteps + parts - 1) / parts);
    if (byColumns * 1.03 >= byRows) shareOf(o->N, 2 * LANES, part, parts, &n0, &n1);
    else shareOf(o->M, TILE, part, parts, &m0, &m1);
  }
  if (m0 == m1 || n0 == n1) return 0;
  for (Long g = g0; g < g1; g++) {
    Long group = g / o->subgroups, subgroup = g % o->subgroups;
    const float *a = (const float *)(share->memory + o->left) + group * o->a.group + subgroup * o->a.subgroup;
    const float *b = (const float *)(share->memory + o->right) + group * o->b.group + subgroup * o->b.subgroup;
    float *c = (float *)(share->memory + o->out) + group * o->c.group + subgroup * o->c.subgroup;
    if (o->M <= FEW_ROWS && o->b.column == 1 && o->c.column == 1 && m0 == 0 && m1 == o->M)
      hasBad |= multiplyFewRows(o, a, b, c, n0, n1);
    else hasBad |= multiplyRange(o, a, b, c, m0, m1, n0, n1, (float *)share->scratch);
  }
  return hasBad;
}

static size_t matmulScratch(void) { return ((size_t)K_STEP * (N_STEP + PANEL * LANES) + (size_t)K_STEP * (M_STEP + TILE)) * 4 + 256; }

#endif
