import { exactSqrt } from '../math/sqrt.ts'
import type { ScalarProgram } from './ScalarProgram.ts'

const float = new Float32Array(1)
const integer = new Int32Array(float.buffer)

/**
 * Runs a scalar program on one element, one instruction after the other.
 *
 * @param registers one slot per instruction, written; reuse it between calls to allocate nothing
 * @param inputs    values of the program's inputs, f32 or i32
 *
 * Order: as listed; every f32 instruction rounds once (E-01): `Math.fround` of an f64 +, -, *, / or sqrt of two f32
 * values is the correctly rounded f32, because 53 bits are more than twice 24 plus one.
 */
export function evaluateScalar(program: ScalarProgram, inputs: ArrayLike<number>, registers: Float64Array): void {
  for (let i = 0; i < program.instructions.length; i++) {
    const { operation, arguments: from, immediate } = program.instructions[i]!
    const a = registers[from[0]!]!
    const b = registers[from[1]!]!
    switch (operation) {
      case 'input':
        registers[i] = inputs[immediate]!
        break
      case 'constant':
        registers[i] = immediate
        break
      case 'integer':
        registers[i] = immediate
        break
      case 'add':
        registers[i] = Math.fround(a + b)
        break
      case 'subtract':
        registers[i] = Math.fround(a - b)
        break
      case 'multiply':
        registers[i] = Math.fround(a * b)
        break
      case 'divide':
        registers[i] = Math.fround(a / b)
        break
      case 'sqrt':
        registers[i] = exactSqrt(a)
        break
      case 'negate':
        registers[i] = -a
        break
      case 'absolute':
        registers[i] = Math.abs(a)
        break
      case 'less':
        registers[i] = a < b ? 1 : 0
        break
      case 'lessOrEqual':
        registers[i] = a <= b ? 1 : 0
        break
      case 'equal':
        registers[i] = a === b ? 1 : 0
        break
      case 'select':
        registers[i] = a === 1 ? b : registers[from[2]!]!
        break
      case 'bits':
        float[0] = a
        registers[i] = integer[0]!
        break
      case 'fromBits':
        integer[0] = a
        registers[i] = float[0]!
        break
      case 'toFloat':
        registers[i] = Math.fround(a)
        break
      case 'integerAdd':
        registers[i] = (a + b) | 0
        break
      case 'integerSubtract':
        registers[i] = (a - b) | 0
        break
      case 'shiftLeft':
        registers[i] = a << immediate
        break
      case 'shiftRight':
        registers[i] = a >> immediate
        break
      case 'integerEqual':
        registers[i] = a === b ? 1 : 0
        break
      case 'integerLessOrEqual':
        registers[i] = a <= b ? 1 : 0
        break
    }
  }
}
