import type { Instruction, ScalarOperation, ScalarProgram } from '../scalar/ScalarProgram.ts'
import type { FunctionWriter, Local } from './FunctionWriter.ts'
import { simd } from './opcodes.ts'

const plain: Partial<Record<ScalarOperation, number>> = {
  add: simd.f32Add,
  subtract: simd.f32Subtract,
  multiply: simd.f32Multiply,
  divide: simd.f32Divide,
  sqrt: simd.f32Sqrt,
  negate: simd.f32Negate,
  absolute: simd.f32Absolute,
  less: simd.f32Less,
  lessOrEqual: simd.f32LessOrEqual,
  equal: simd.f32Equal,
  toFloat: simd.f32FromI32,
  integerAdd: simd.i32Add,
  integerSubtract: simd.i32Subtract,
  integerEqual: simd.i32Equal,
  integerLessOrEqual: simd.i32LessOrEqual,
}

/** A scalar program as vector code: four elements at a time, one WebAssembly instruction for each of its own. */
export class ScalarCode {
  readonly #program: ScalarProgram
  readonly #locals: Local[]

  /** Writes the constants into locals; call it before the loops, so that they are set up once. */
  constructor(f: FunctionWriter, program: ScalarProgram) {
    this.#program = program
    this.#locals = program.instructions.map(() => f.local('v128'))
    program.instructions.forEach((instruction, i) => {
      if (instruction.operation === 'constant') f.vector(instruction.immediate, 'f32').set(this.#locals[i]!)
      if (instruction.operation === 'integer') f.vector(instruction.immediate, 'i32').set(this.#locals[i]!)
    })
  }

  /** Writes one evaluation. `pushInput(i)` pushes the vector of input i. Returns the locals of the outputs. */
  emit(f: FunctionWriter, pushInput: (input: number) => void): Local[] {
    this.#program.instructions.forEach((instruction, i) => {
      if (instruction.operation === 'constant' || instruction.operation === 'integer') return
      if (instruction.operation === 'input') pushInput(instruction.immediate)
      else this.#emitInstruction(f, instruction)
      f.set(this.#locals[i]!)
    })
    return this.#program.outputs.map((register) => this.#locals[register]!)
  }

  #emitInstruction(f: FunctionWriter, { operation, arguments: from, immediate }: Instruction): void {
    const local = (position: number): Local => this.#locals[from[position]!]!
    if (operation === 'select') {
      f.get(local(1)).get(local(2)).get(local(0)).simd(simd.bitselect)
      return
    }
    for (let i = 0; i < from.length; i++) f.get(local(i))
    if (operation === 'shiftLeft') f.integer(immediate).simd(simd.i32ShiftLeft)
    else if (operation === 'shiftRight') f.integer(immediate).simd(simd.i32ShiftRight)
    else if (operation !== 'bits' && operation !== 'fromBits') f.simd(plain[operation]!)
  }
}
