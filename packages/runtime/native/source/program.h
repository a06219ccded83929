/*
 * A program as the executor runs it: operations with addresses into one memory, decoded from the numbers that
 * `encodeProgram.ts` writes. Addresses are bytes from the start of the memory; extents and strides count elements.
 */
#ifndef POTLUCK_PROGRAM_H
#define POTLUCK_PROGRAM_H
#include <stddef.h>
#include <stdint.h>

typedef int64_t Long;

enum Kind { MAP, COLUMN_SUM, ROW_SUM, ROW_MAXIMUM, MATMUL, GATHER, SCATTER, WINDOW, WINDOW_SUM, COPY };
enum From { FULL, SWAPPED, ROW, COLUMN, ROW_INDEX, COLUMN_INDEX };

/* `size` is the length of the tensor, or the modulus of a row index. */
typedef struct {
  int from;
  Long address;
  Long size;
} Operand;

/*
 * The scalar machine works on blocks: a slot holds one number for every element of the block, or one vector of equal
 * numbers for all of them. TEMPORARY: a buffer of the block's length; UNIFORM: one vector, computed; CONSTANT: one vector;
 * OPERAND: wherever the operand lies; OUTPUT: where the output belongs.
 */
enum SlotKind { TEMPORARY, UNIFORM, CONSTANT, OPERAND, OUTPUT };
typedef struct {
  int kind;
  /* Buffer, operand or output number, or the 32 bits of a constant. */
  uint32_t value;
} Slot;

/* Operations of the block machine; the order is that of `blockOperations` in `encodeScalar.ts`. */
enum BlockOperation {
  B_COPY, B_ADD, B_SUBTRACT, B_MULTIPLY, B_DIVIDE, B_SQRT, B_NEGATE, B_ABSOLUTE, B_LESS, B_LESS_OR_EQUAL, B_EQUAL,
  B_SELECT, B_TO_FLOAT, B_INTEGER_ADD, B_INTEGER_SUBTRACT, B_SHIFT_LEFT, B_SHIFT_RIGHT, B_INTEGER_EQUAL,
  B_INTEGER_LESS_OR_EQUAL,
  /* Several instructions in one, each still rounded by itself. */
  B_MULTIPLY_ADD, B_MULTIPLY_SUBTRACT, B_SUBTRACT_PRODUCT, B_SELECT_LESS, B_SELECT_LESS_OR_EQUAL, B_SELECT_EQUAL,
  B_SELECT_INTEGER_EQUAL, B_SELECT_INTEGER_LESS_OR_EQUAL, B_EXP
};

typedef struct {
  int operation;
  int out, a, b, c, d;
  int immediate;
} Instruction;

typedef struct {
  Long rows, columns;
  /* Whether a block may span several rows; then row operands are spread over it, else they are uniform. */
  int isSpanning;
  /* Whether outputs wait in scratch until a block is done: an output may lie where an operand does (E-29). */
  int isAside;
  int operandCount, outputCount, slotCount, bufferCount, result;
  int onceCount, rowCount, blockCount;
  Operand *operands;
  Long *outputs;
  Slot *slots;
  /* Instructions over constants, then over one row's uniforms, then over blocks. */
  Instruction *once, *row, *block;
} Elements;

typedef struct {
  Long group, subgroup, row, column;
} Strides;

typedef struct {
  Long groups, subgroups, M, N, K;
  Strides a, b, c;
  Long left, right, out;
} Matmul;

typedef struct {
  Long tableRows, rows, columns, x, index, out;
} Rows;

typedef struct {
  Long images, height, width, channels, kernelHeight, kernelWidth, stride, padding, outHeight, outWidth, x, out;
} Window;

typedef struct {
  Long from, to, bytes;
} Copy;

typedef struct {
  int kind;
  union {
    Elements elements;
    Matmul matmul;
    Rows rows;
    Window window;
    Copy copy;
  } as;
} Operation;

typedef struct {
  int count;
  Operation *operations;
  /* Time spent in each operation, in nanoseconds, summed over runs; counted while `isProfiled`. */
  double *nanoseconds;
  int isProfiled;
  /* Everything above lies in one block of memory. */
  void *storage;
} Program;

/* Decodes `count` numbers; null when they do not make a program or memory is short. */
Program *decodeProgram(const double *words, size_t count);
void freeProgram(Program *program);

#endif
