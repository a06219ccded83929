import { PotluckError } from '@potluck/protocol'
import type { Instruction, ScalarOperation, ScalarProgram, ScalarType } from './ScalarProgram.ts'

/** A register with its type, so that an integer never reaches an f32 instruction. */
export type Value<T extends ScalarType = ScalarType> = { readonly register: number; readonly type: T }
export type Real = Value<'f32'>
export type Integer = Value<'i32'>
export type Mask = Value<'mask'>

/** Writes a scalar program instruction by instruction. Repeated constants and inputs share one register. */
export class ScalarBuilder {
  readonly name: string
  readonly #inputs: ('f32' | 'i32')[] = []
  readonly #instructions: Instruction[] = []
  readonly #constants = new Map<string, number>()

  constructor(name: string) {
    this.name = name
  }

  /** The next input of the program. */
  input(): Real {
    this.#inputs.push('f32')
    return this.#emit('f32', 'input', [], this.#inputs.length - 1)
  }

  integerInput(): Integer {
    this.#inputs.push('i32')
    return this.#emit('i32', 'input', [], this.#inputs.length - 1)
  }

  /** The f32 nearest to `value`. */
  constant(value: number): Real {
    const rounded = Math.fround(value)
    const key = Object.is(rounded, -0) ? 'f-0' : `f${rounded}`
    const known = this.#constants.get(key)
    if (known !== undefined) return { register: known, type: 'f32' }
    const made = this.#emit('f32', 'constant', [], rounded)
    this.#constants.set(key, made.register)
    return made
  }

  integer(value: number): Integer {
    const known = this.#constants.get(`i${value | 0}`)
    if (known !== undefined) return { register: known, type: 'i32' }
    const made = this.#emit('i32', 'integer', [], value | 0)
    this.#constants.set(`i${value | 0}`, made.register)
    return made
  }

  add = (a: Real, b: Real): Real => this.#emit('f32', 'add', [a, b])
  subtract = (a: Real, b: Real): Real => this.#emit('f32', 'subtract', [a, b])
  multiply = (a: Real, b: Real): Real => this.#emit('f32', 'multiply', [a, b])
  divide = (a: Real, b: Real): Real => this.#emit('f32', 'divide', [a, b])
  sqrt = (a: Real): Real => this.#emit('f32', 'sqrt', [a])
  negate = (a: Real): Real => this.#emit('f32', 'negate', [a])
  absolute = (a: Real): Real => this.#emit('f32', 'absolute', [a])
  less = (a: Real, b: Real): Mask => this.#emit('mask', 'less', [a, b])
  lessOrEqual = (a: Real, b: Real): Mask => this.#emit('mask', 'lessOrEqual', [a, b])
  equal = (a: Real, b: Real): Mask => this.#emit('mask', 'equal', [a, b])
  /** `yes` where the mask holds, else `no`; both are always computed. */
  select = (mask: Mask, yes: Real, no: Real): Real => this.#emit('f32', 'select', [mask, yes, no])
  bits = (a: Real): Integer => this.#emit('i32', 'bits', [a])
  fromBits = (a: Integer): Real => this.#emit('f32', 'fromBits', [a])
  toFloat = (a: Integer): Real => this.#emit('f32', 'toFloat', [a])
  integerAdd = (a: Integer, b: Integer): Integer => this.#emit('i32', 'integerAdd', [a, b])
  integerSubtract = (a: Integer, b: Integer): Integer => this.#emit('i32', 'integerSubtract', [a, b])
  shiftLeft = (a: Integer, bits: number): Integer => this.#emit('i32', 'shiftLeft', [a], bits)
  /** Arithmetic: keeps the sign. */
  shiftRight = (a: Integer, bits: number): Integer => this.#emit('i32', 'shiftRight', [a], bits)
  integerEqual = (a: Integer, b: Integer): Mask => this.#emit('mask', 'integerEqual', [a, b])
  integerLessOrEqual = (a: Integer, b: Integer): Mask => this.#emit('mask', 'integerLessOrEqual', [a, b])

  /** c[0] + x·(c[1] + x·(c[2] + …)), evaluated from the highest power down (Horner). */
  polynomial(x: Real, coefficients: readonly number[]): Real {
    let sum = this.constant(coefficients.at(-1) ?? 0)
    for (const coefficient of coefficients.slice(0, -1).reverse()) {
      sum = this.add(this.multiply(sum, x), this.constant(coefficient))
    }
    return sum
  }

  finish(...outputs: Real[]): ScalarProgram {
    if (outputs.length === 0) throw new PotluckError('PROGRAM', `scalar program ${this.name} has no output`)
    return {
      name: this.name,
      inputs: this.#inputs,
      instructions: this.#instructions,
      outputs: outputs.map((output) => output.register),
    }
  }

  #emit<T extends ScalarType>(type: T, operation: ScalarOperation, values: Value[], immediate = 0): Value<T> {
    this.#instructions.push({ operation, arguments: values.map((value) => value.register), immediate })
    return { register: this.#instructions.length - 1, type }
  }
}
