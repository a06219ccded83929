#define _POSIX_C_SOURCE 200809L
#include "execute.h"
#include <stdatomic.h>
#include <string.h>
#include <time.h>

typedef struct {
  Program *program;
  const Kernels *kernels;
  Team *team;
  char *memory;
  size_t scratchBytes;
  /* The first operation that went wrong, or DONE. */
  atomic_int failed;
} Run;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void copyShare(const Copy *copy, const Share *share) {
  Long from = copy->bytes / 64 * share->part / share->parts * 64;
  Long to = share->part + 1 == share->parts ? copy->bytes : copy->bytes / 64 * (share->part + 1) / share->parts * 64;
  memcpy(share->memory + copy->to + from, share->memory + copy->from + from, (size_t)(to - from));
}

static int runOperation(const Kernels *kernels, const Operation *operation, const Share *share) {
  if (operation->kind <= ROW_MAXIMUM) return kernels->elements(operation, share);
  if (operation->kind == MATMUL) return kernels->matmul(&operation->as.matmul, share);
  if (operation->kind <= SCATTER) return kernels->rows(operation->kind, &operation->as.rows, share);
  if (operation->kind <= WINDOW_SUM) return kernels->window(operation->kind, &operation->as.window, share);
  copyShare(&operation->as.copy, share);
  return 0;
}

static void runPart(void *context, int part, int parts) {
  Run *run = context;
  Program *program = run->program;
  Share share = {run->memory, teamScratch(run->team, part, run->scratchBytes), part, parts};
  if (!share.scratch) atomic_store(&run->failed, NO_MEMORY);
  teamBarrier(run->team);
  double before = part == 0 && program->isProfiled ? now() : 0;
  for (int i = 0; i < program->count && atomic_load(&run->failed) != NO_MEMORY; i++) {
    int isBad = runOperation(run->kernels, &program->operations[i], &share);
    if (isBad) atomic_store(&run->failed, i);
    teamBarrier(run->team);
    /* Only what failed up to here counts: a faster thread may be in the next operation, and all must leave after the same. */
    int failed = atomic_load(&run->failed);
    if (failed != DONE && failed <= i) return;
    if (part == 0 && program->isProfiled) {
      double after = now();
      program->nanoseconds[i] += after - before;
      before = after;
    }
  }
}

int executeProgram(Program *program, const Kernels *kernels, Team *team, char *memory) {
  Run run = {.program = program, .kernels = kernels, .team = team, .memory = memory, .scratchBytes = 64};
  atomic_init(&run.failed, DONE);
  for (int i = 0; i < program->count; i++) {
    size_t bytes = kernels->scratchBytes(&program->operations[i]);
    if (bytes > run.scratchBytes) run.scratchBytes = bytes;
  }
  runOnTeam(team, runPart, &run);
  return atomic_load(&run.failed);
}
