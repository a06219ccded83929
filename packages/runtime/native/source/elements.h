/*
 * Evaluates a scalar program over blocks of at most BLOCK elements: some columns of one row, or several rows. Operands are
 * read where they lie whenever the block is one run of memory there.
 */
#ifndef POTLUCK_ELEMENTS_H
#define POTLUCK_ELEMENTS_H
#include "kernels.h"
#include "pack.h"
#include "scalar.h"

#define BLOCK 512
/* The extra line keeps the buffers from falling on the same lines of the cache; it also takes a last vector's overhang. */
#define PITCH (BLOCK + 16)

/* A block: rows row0 … row0 + rows − 1, columns column0 … column0 + columns − 1, laid out row after row. */
typedef struct {
  Long row0, rows, column0, columns;
} Block;

typedef struct {
  const Elements *e;
  char *memory;
  /* Where each slot lies and how far apart its vectors are: LANES, or 0 for one vector. */
  float **place;
  Long *step;
  float *spread, *outputs;
  /* The block whose column operands are spread, and the row whose uniforms are computed. */
  Block spreadFor;
  Long uniformRow;
} Machine;

static size_t elementsScratch(const Elements *e) {
  size_t floats = (size_t)e->slotCount * LANES + (size_t)(e->bufferCount + e->operandCount + e->outputCount) * PITCH;
  return (size_t)e->slotCount * (sizeof(float *) + sizeof(Long)) + floats * 4 + 256;
}

INLINE void fill(float *to, float value, Long count) {
  V all = broadcast(value);
  for (Long i = 0; i < count; i += LANES) store(to + i, all);
}

static Machine startMachine(const Elements *e, const Share *share) {
  Machine m = {.e = e, .memory = share->memory, .spreadFor = {-1, -1, -1, -1}, .uniformRow = -1};
  float *vectors = (float *)share->scratch;
  float *buffers = vectors + (Long)e->slotCount * LANES;
  m.spread = buffers + (Long)e->bufferCount * PITCH;
  m.outputs = m.spread + (Long)e->operandCount * PITCH;
  m.place = (float **)(m.outputs + (Long)e->outputCount * PITCH);
  m.step = (Long *)(m.place + e->slotCount);
  for (int s = 0; s < e->slotCount; s++) {
    const Slot *slot = &e->slots[s];
    m.place[s] = slot->kind == TEMPORARY ? buffers + (Long)slot->value * PITCH : vectors + (Long)s * LANES;
    m.step[s] = slot->kind == TEMPORARY || slot->kind == OUTPUT ? LANES : 0;
    float constant;
    memcpy(&constant, &slot->value, 4);
    if (slot->kind == CONSTANT) fill(m.place[s], constant, LANES);
  }
  for (int s = 0; s < e->slotCount; s++) {
    if (e->slots[s].kind != OPERAND) continue;
    const Operand *operand = &e->operands[e->slots[s].value];
    if (operand->from == ROW && operand->size == 1) fill(m.place[s], *(float *)(m.memory + operand->address), LANES);
  }
  runInstructions(e->once, e->onceCount, m.place, m.step, LANES);
  return m;
}

/* x with the elements of each pair exchanged. */
INLINE V swapPairs(V x) {
#if LANES == 16
  return (V)_mm512_permute_ps((__m512)x, 0xb1);
#elif LANES == 8
  return (V)_mm256_permute_ps((__m256)x, 0xb1);
#else
  return (V)SHUFFLE4(x, x, 1, 0, 3, 2);
#endif
}

/* first, first + 1, first + 2, … */
INLINE void count(float *to, int32_t first, Long length) {
  I numbers;
  for (int lane = 0; lane < LANES; lane++) numbers[lane] = first + lane;
  for (Long c = 0; c < length; c += LANES, numbers += LANES) store(to + c, (V)numbers);
}

static float bitsOf(int32_t integer) {
  float value;
  memcpy(&value, &integer, 4);
  return value;
}

/*
 * Lays an operand out for a block in `to`; what stays the same from block to block is not written again. A line written too
 * far is written over by the next, and the buffer has room for the last.
 */
static void spreadOperand(const Operand *operand, const float *from, float *to, const Block *b, Long pitch, int isKnown) {
  for (Long r = 0; r < b->rows; r++) {
    float *line = to + r * b->columns;
    Long row = b->row0 + r;
    switch (operand->from) {
      case FULL: memcpy(line, from + row * pitch + b->column0, (size_t)b->columns * 4); break;
      case SWAPPED:
        /* Blocks begin at even columns and there is an even number of them, so a pair is never cut. */
        for (Long c = 0; c < b->columns; c += LANES) store(line + c, swapPairs(load(from + row * pitch + b->column0 + c)));
        break;
      case COLUMN:
        if (isKnown) return;
        memcpy(line, from + b->column0, (size_t)b->columns * 4);
        break;
      case COLUMN_INDEX:
        if (isKnown) return;
        count(line, (int32_t)b->column0, b->columns);
        break;
      case ROW: fill(line, from[row % operand->size], b->columns); break;
      case ROW_INDEX: fill(line, bitsOf((int32_t)(row % operand->size)), b->columns); break;
    }
  }
}

static void bindOperand(Machine *m, int slot, const Block *b) {
  const Operand *operand = &m->e->operands[m->e->slots[slot].value];
  const float *from = (const float *)(m->memory + operand->address);
  float *spread = m->spread + (Long)m->e->slots[slot].value * PITCH;
  Long pitch = m->e->columns;
  if (operand->from == FULL && (b->rows == 1 || b->columns == pitch)) {
    m->place[slot] = (float *)from + b->row0 * pitch + b->column0;
  } else if (operand->from == COLUMN && b->rows == 1) {
    m->place[slot] = (float *)from + b->column0;
  } else if ((operand->from == ROW || operand->from == ROW_INDEX) && !m->e->isSpanning) {
    if (m->uniformRow == b->row0) return;
    Long at = b->row0 % operand->size;
    fill(m->place[slot], operand->from == ROW ? from[at] : bitsOf((int32_t)at), LANES);
    return;
  } else {
    const Block *s = &m->spreadFor;
    int isKnown = s->column0 == b->column0 && s->columns == b->columns && s->rows >= b->rows;
    spreadOperand(operand, from, spread, b, pitch, isKnown);
    m->place[slot] = spread;
  }
  m->step[slot] = LANES;
}

/*
 * Evaluates a block. Returns where the value of the result slot lies. Outputs that do not fill whole vectors, and all of them
 * unless `isMap`, stay in the scratch of the machine.
 */
static const float *evaluateBlock(Machine *m, const Block *b, int isMap) {
  const Elements *e = m->e;
  Long count = b->rows * b->columns;
  int isWhole = isMap && !e->isAside && count % LANES == 0 && (b->rows == 1 || b->columns == e->columns);
  for (int s = 0; s < e->slotCount; s++) {
    if (e->slots[s].kind == OPERAND) {
      const Operand *operand = &e->operands[e->slots[s].value];
      if (operand->from != ROW || operand->size != 1) bindOperand(m, s, b);
    } else if (e->slots[s].kind == OUTPUT) {
      Long output = e->slots[s].value;
      m->place[s] = isWhole ? (float *)(m->memory + e->outputs[output]) + b->row0 * e->columns + b->column0
                            : m->outputs + output * PITCH;
    }
  }
  if (m->uniformRow != b->row0) runInstructions(e->row, e->rowCount, m->place, m->step, LANES);
  m->uniformRow = b->row0;
  if (b->column0 != m->spreadFor.column0 || b->columns != m->spreadFor.columns || b->rows > m->spreadFor.rows) m->spreadFor = *b;
  runInstructions(e->block, e->blockCount, m->place, m->step, (count + LANES - 1) / LANES * LANES);
  return m->place[e->result];
}

/* Rows in one block: as many as fit, if possible such that they fill whole vectors. */
static Long rowsInBlock(const Elements *e, Long columns) {
  if (!e->isSpanning || columns >= BLOCK) return 1;
  Long most = BLOCK / columns;
  for (Long rows = most; rows > most / 2; rows--)
    if (rows * columns % LANES == 0) return rows;
  return most;
}

#endif
