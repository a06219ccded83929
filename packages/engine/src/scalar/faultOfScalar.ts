import type { ScalarOperation, ScalarProgram, ScalarType } from './ScalarProgram.ts'

/** Registers of a scalar program: their numbers have to fit a byte where a dispute is settled (D-10). */
export const MAX_REGISTERS = 255

type Signature = { readonly takes: readonly ScalarType[]; readonly gives: ScalarType; readonly immediate?: 'shift' }

const real = (...takes: ScalarType[]): Signature => ({ takes, gives: 'f32' })
const mask = (...takes: ScalarType[]): Signature => ({ takes, gives: 'mask' })
const whole = (...takes: ScalarType[]): Signature => ({ takes, gives: 'i32' })
const shift: Signature = { takes: ['i32'], gives: 'i32', immediate: 'shift' }

/** What the instructions take and give; `input`, `constant` and `integer` have no arguments. */
const signatures: Readonly<Record<Exclude<ScalarOperation, 'input' | 'constant' | 'integer'>, Signature>> = {
  add: real('f32', 'f32'),
  subtract: real('f32', 'f32'),
  multiply: real('f32', 'f32'),
  divide: real('f32', 'f32'),
  sqrt: real('f32'),
  negate: real('f32'),
  absolute: real('f32'),
  less: mask('f32', 'f32'),
  lessOrEqual: mask('f32', 'f32'),
  equal: mask('f32', 'f32'),
  select: real('mask', 'f32', 'f32'),
  bits: whole('f32'),
  fromBits: real('i32'),
  toFloat: real('i32'),
  integerAdd: whole('i32', 'i32'),
  integerSubtract: whole('i32', 'i32'),
  shiftLeft: shift,
  shiftRight: shift,
  integerEqual: mask('i32', 'i32'),
  integerLessOrEqual: mask('i32', 'i32'),
}

/**
 * What is wrong with a scalar program, or null: unknown instructions, registers read before they are written, types that
 * do not match, immediates out of range, outputs that are not f32 registers, more than 255 registers (E-28).
 */
export function faultOfScalar({ inputs, instructions, outputs }: ScalarProgram): string | null {
  if (instructions.length > MAX_REGISTERS) {
    return `${instructions.length} instructions, at most ${MAX_REGISTERS} are allowed: split it into two`
  }
  const types: ScalarType[] = []
  for (const [at, { operation, arguments: from, immediate }] of instructions.entries()) {
    const where = `instruction ${at} (${operation})`
    const early = from.find((register) => !(Number.isInteger(register) && register >= 0 && register < at))
    if (early !== undefined) return `${where} reads register ${early}, which is not written before`
    const { takes, gives, fault } = signatureOf(operation, immediate, inputs)
    if (fault) return `${where}: ${fault}`
    const seen = from.map((register) => types[register])
    if (seen.join() !== takes.join()) return `${where} takes (${takes.join(', ')}), got (${seen.join(', ')})`
    types.push(gives)
  }
  const wrong = outputs.find((register) => types[register] !== 'f32')
  if (outputs.length === 0) return 'has no output'
  return wrong === undefined ? null : `output register ${wrong} is not an f32 that is written`
}

type Found = { readonly takes: readonly ScalarType[]; readonly gives: ScalarType; readonly fault?: string }

function signatureOf(operation: ScalarOperation, immediate: number, inputs: ScalarProgram['inputs']): Found {
  if (operation === 'input') {
    const type = inputs[immediate]
    return type ? { takes: [], gives: type } : { takes: [], gives: 'f32', fault: `there is no input ${immediate}` }
  }
  if (operation === 'constant') {
    const isFloat = !Number.isNaN(immediate) && Object.is(Math.fround(immediate), immediate)
    return { takes: [], gives: 'f32', ...(isFloat ? {} : { fault: `${immediate} is no f32` }) }
  }
  if (operation === 'integer') {
    const isInteger = Object.is(immediate | 0, immediate)
    return { takes: [], gives: 'i32', ...(isInteger ? {} : { fault: `${immediate} is no i32` }) }
  }
  const signature = Object.hasOwn(signatures, operation) ? signatures[operation] : undefined
  if (!signature) return { takes: [], gives: 'f32', fault: 'there is no such instruction' }
  const most = signature.immediate === 'shift' ? 31 : 0
  const isInRange = Number.isInteger(immediate) && immediate >= 0 && immediate <= most
  return { ...signature, ...(isInRange ? {} : { fault: `immediate ${immediate}, expected 0 to ${most}` }) }
}
