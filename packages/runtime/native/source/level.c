/* The kernels of one level: compiled once for each, with LEVEL, LANES and the flags of the level. */
#include "vector.h"
#include "matmul.h"
#include "reduce.h"
#include "rows.h"
#include "updates.h"

#define TEXT2(name) #name
#define TEXT(name) TEXT2(name)

static size_t scratchBytes(const Operation *operation) {
  if (operation->kind == MATMUL) return matmulScratch();
  if (operation->kind == WINDOW || operation->kind == WINDOW_SUM) return windowScratch(&operation->as.window);
  return operation->kind <= ROW_MAXIMUM ? elementsScratch(&operation->as.elements) : 0;
}

const Kernels AT_LEVEL(kernels) = {TEXT(LEVEL), runElements,    runMatmul,  runRows,
                                   runWindow,   measureUpdates, addUpdates, scratchBytes};
