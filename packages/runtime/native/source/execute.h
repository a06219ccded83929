/* Runs a whole program on a team of threads. */
#ifndef POTLUCK_EXECUTE_H
#define POTLUCK_EXECUTE_H
#include "kernels.h"
#include "threads.h"

/* What `executeProgram` returns besides the number of the operation that went wrong. */
enum { DONE = -1, NO_MEMORY = -2 };

/* Every operation in order; stops after the first that wrote a NaN, or before one whose indices are outside the table. */
int executeProgram(Program *program, const Kernels *kernels, Team *team, char *memory);

#endif
