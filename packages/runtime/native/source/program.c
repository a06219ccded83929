#include "program.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  const double *words;
  size_t at, count;
  char *storage;
  size_t used, size;
  int isBroken;
} Reader;

static Long next(Reader *reader) {
  if (reader->at >= reader->count) {
    reader->isBroken = 1;
    return 0;
  }
  return (Long)reader->words[reader->at++];
}

static void *take(Reader *reader, Long count, size_t size) {
  size_t bytes = ((size_t)count * size + 15) & ~(size_t)15;
  if (count < 0 || reader->used + bytes > reader->size) {
    reader->isBroken = 1;
    return reader->storage;
  }
  void *place = reader->storage + reader->used;
  reader->used += bytes;
  return place;
}

static Instruction *instructions(Reader *reader, int *count) {
  *count = (int)next(reader);
  Instruction *list = take(reader, *count, sizeof(Instruction));
  for (int i = 0; i < *count && !reader->isBroken; i++) {
    int fields[7];
    for (int f = 0; f < 7; f++) fields[f] = (int)next(reader);
    list[i] = (Instruction){fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6]};
  }
  return list;
}

static void readElements(Reader *reader, Elements *e) {
  e->rows = next(reader);
  e->columns = next(reader);
  e->isSpanning = (int)next(reader);
  e->bufferCount = (int)next(reader);
  e->result = (int)next(reader);
  e->isAside = (int)next(reader);
  e->operandCount = (int)next(reader);
  e->operands = take(reader, e->operandCount, sizeof(Operand));
  for (int i = 0; i < e->operandCount && !reader->isBroken; i++) {
    e->operands[i].from = (int)next(reader);
    e->operands[i].address = next(reader);
    e->operands[i].size = next(reader);
  }
  e->outputCount = (int)next(reader);
  e->outputs = take(reader, e->outputCount, sizeof(Long));
  for (int i = 0; i < e->outputCount && !reader->isBroken; i++) e->outputs[i] = next(reader);
  e->slotCount = (int)next(reader);
  e->slots = take(reader, e->slotCount, sizeof(Slot));
  for (int i = 0; i < e->slotCount && !reader->isBroken; i++) {
    e->slots[i].kind = (int)next(reader);
    e->slots[i].value = (uint32_t)next(reader);
  }
  e->once = instructions(reader, &e->onceCount);
  e->row = instructions(reader, &e->rowCount);
  e->block = instructions(reader, &e->blockCount);
}

static void readLongs(Reader *reader, Long *fields, int count) {
  for (int i = 0; i < count; i++) fields[i] = next(reader);
}

Program *decodeProgram(const double *words, size_t count) {
  Reader reader = {words, 0, count, NULL, 0, 0, 0};
  Long operations = next(&reader);
  if (reader.isBroken || operations < 0 || (size_t)operations > count) return NULL;
  Program *program = calloc(1, sizeof(Program));
  /* No record is larger than 16 bytes for each of its numbers, headers apart. */
  reader.size = count * 16 + (size_t)operations * (sizeof(Operation) + 256) + 64;
  reader.storage = program ? calloc(1, reader.size) : NULL;
  if (!reader.storage) {
    free(program);
    return NULL;
  }
  program->storage = reader.storage;
  program->count = (int)operations;
  program->nanoseconds = take(&reader, operations, sizeof(double));
  program->operations = take(&reader, operations, sizeof(Operation));
  for (int i = 0; i < program->count && !reader.isBroken; i++) {
    Operation *operation = &program->operations[i];
    operation->kind = (int)next(&reader);
    if (operation->kind <= ROW_MAXIMUM) readElements(&reader, &operation->as.elements);
    else if (operation->kind == MATMUL) readLongs(&reader, (Long *)&operation->as.matmul, sizeof(Matmul) / sizeof(Long));
    else if (operation->kind <= SCATTER) readLongs(&reader, (Long *)&operation->as.rows, sizeof(Rows) / sizeof(Long));
    else if (operation->kind <= WINDOW_SUM) readLongs(&reader, (Long *)&operation->as.window, sizeof(Window) / sizeof(Long));
    else readLongs(&reader, (Long *)&operation->as.copy, sizeof(Copy) / sizeof(Long));
  }
  if (reader.isBroken || reader.at != reader.count) {
    freeProgram(program);
    return NULL;
  }
  return program;
}

void freeProgram(Program *program) {
  if (!program) return;
  free(program->storage);
  free(program);
}
