/**
 * A scalar program computes one output element of an operator: a short straight line of IEEE-754 f32 and i32
 * instructions over numbered registers. It is data: the reference executor interprets it, the WebAssembly executor
 * compiles it four lanes at a time, and its bytes are part of the program root.
 */
export type ScalarType = 'f32' | 'i32' | 'mask'

/** Names are the wire form of the instruction set: an entry is never renumbered, new ones go to the end (E-04). */
export const scalarOperations = [
  'input',
  'constant',
  'integer',
  'add',
  'subtract',
  'multiply',
  'divide',
  'sqrt',
  'negate',
  'absolute',
  'less',
  'lessOrEqual',
  'equal',
  'select',
  'bits',
  'fromBits',
  'toFloat',
  'integerAdd',
  'integerSubtract',
  'shiftLeft',
  'shiftRight',
  'integerEqual',
  'integerLessOrEqual',
] as const

export type ScalarOperation = (typeof scalarOperations)[number]

/** `arguments` are registers written earlier; `immediate` is an input number, a constant or a shift, else 0. */
export type Instruction = {
  readonly operation: ScalarOperation
  readonly arguments: readonly number[]
  readonly immediate: number
}

export type ScalarProgram = {
  readonly name: string
  readonly inputs: readonly ('f32' | 'i32')[]
  readonly instructions: readonly Instruction[]
  /** Registers whose values leave the program; f32, one per output tensor. */
  readonly outputs: readonly number[]
}
