/* The kernels of one level of the processor. */
#ifndef POTLUCK_KERNELS_H
#define POTLUCK_KERNELS_H
#include "program.h"

/* What a kernel is given besides its operation: thread `part` of `parts`, and scratch memory of its own. */
typedef struct {
  char *memory;
  char *scratch;
  int part, parts;
} Share;

/* Updates to aggregate, `count` of `length` numbers each, and what is made of them; see updates.h. */
typedef struct {
  const float *const *updates;
  Long count, length;
  const float *reference, *factors;
  float *squares, *dots, *moved;
} Updates;

/* One thread reads at most so many updates side by side. */
#define MOST_TOGETHER 8

typedef struct {
  const char *name;
  /* Each does the share of one thread; true when it wrote a NaN (or met an index outside the table). */
  int (*elements)(const Operation *operation, const Share *share);
  int (*matmul)(const Matmul *matmul, const Share *share);
  int (*rows)(int kind, const Rows *rows, const Share *share);
  int (*window)(int kind, const Window *window, const Share *share);
  void (*measureUpdates)(const Updates *updates, int part, int parts);
  void (*addUpdates)(const Updates *updates, int part, int parts);
  /* Bytes of scratch one thread needs. */
  size_t (*scratchBytes)(const Operation *operation);
} Kernels;

/* The kernels of a level that this processor has, or of its best when `name` is null; else null. */
const Kernels *kernelsOf(const char *name);
/* Names of the levels of this processor, best first; null after the last. */
const char *const *levelNames(void);

#endif
