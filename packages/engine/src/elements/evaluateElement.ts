/**
 * The referee's arithmetic in TypeScript: one element, or one term of its sum, from words of earlier trace leaves, the way
 * the contract does it (D-09, D-10). Nothing stops it: a NaN is a word like any other, an index that leads nowhere reads 0.
 */
import { exactSqrt } from '../math/sqrt.ts'
import type { Instruction } from '../scalar/ScalarProgram.ts'
import type { ComputedRecord, ElementOperand } from './ElementRecord.ts'
import { floatOfWord, NAN_WORD, wordOfFloat } from './words.ts'

/** The word at a place of a trace leaf, unsigned. */
export type ReadWord = (leaf: number, index: number) => number

export const PLUS_ZERO = 0
export const MINUS_INFINITY = 0xff800000
/** Partials of a row reduction (E-11). */
export const LANES = 8

/** Where an operand stands: a place in a leaf, or its word when it needs no reading. */
export type OperandPlace = { readonly leaf: number; readonly index: number } | { readonly word: number }

/** The place of each operand of a term, in order (D-09); `readWord` serves the index operands of indirect ones. */
export function operandPlaces(record: ComputedRecord, e: number, k: number, readWord: ReadWord): OperandPlace[] {
  const places: OperandPlace[] = []
  for (const operand of record.operands) places.push(placeOf(operand, e, k, places, readWord))
  return places
}

const wordAt = (place: OperandPlace, readWord: ReadWord): number =>
  'word' in place ? place.word : readWord(place.leaf, place.index)

function placeOf(
  operand: ElementOperand,
  e: number,
  k: number,
  earlier: readonly OperandPlace[],
  readWord: ReadWord,
): OperandPlace {
  let index = 0
  for (const { constant, divisor, limit, coefficient, terms } of operand.axes) {
    let sum = constant
    for (const term of terms) {
      const quotient = Math.floor((term.variable === 'element' ? e : k) / term.divide)
      sum += (term.modulo === 0 ? quotient : quotient % term.modulo) * term.coefficient
    }
    if (sum < 0 || sum % divisor !== 0 || (limit !== 0 && sum / divisor >= limit)) return { word: 0 }
    index += (sum / divisor) * coefficient
  }
  if (operand.indirect > 0) {
    const at = wordAt(earlier[operand.indirect - 1]!, readWord)
    // Unsigned: a negative integer is beyond every limit.
    if (at >= operand.indirectLimit) return { word: 0 }
    index += at * operand.indirectCoefficient
  }
  return operand.source === 'index' ? { word: index >>> 0 } : { leaf: operand.leaf, index: operand.offset + index }
}

/** The output register at (e, k), as a word. Cost: about 1 µs plus 20 ns an instruction. */
export function evaluateTerm(record: ComputedRecord, e: number, k: number, readWord: ReadWord): number {
  const inputs = operandPlaces(record, e, k, readWord).map((place) => wordAt(place, readWord))
  const registers = new Uint32Array(record.instructions.length)
  record.instructions.forEach((instruction, i) => {
    registers[i] = runInstruction(instruction, registers, inputs)
  })
  return canonical(registers[record.output]!)
}

/** One more term: a sum, or the larger of the two. */
export function foldTerm(reduction: ComputedRecord['reduction'], partial: number, term: number): number {
  const [a, b] = [floatOfWord(partial), floatOfWord(term)]
  if (reduction === 'rowMaximum') return wordOfFloat(a < b ? b : a)
  return wordOfFloat(Math.fround(a + b))
}

/** What a sum, or a partial of it, starts at. */
export const startOf = (reduction: ComputedRecord['reduction']): number =>
  reduction === 'rowMaximum' ? MINUS_INFINITY : PLUS_ZERO

/** Terms of partial `lane` of a row reduction over K columns. */
export const laneTerms = (K: number, lane: number): number => (lane < K ? Math.ceil((K - lane) / LANES) : 0)

/** The fixed tree over eight partials (E-11). */
export function foldLanes(reduction: ComputedRecord['reduction'], p: ArrayLike<number>): number {
  const fold = (a: number, b: number): number => foldTerm(reduction, a, b)
  return fold(fold(fold(p[0]!, p[4]!), fold(p[2]!, p[6]!)), fold(fold(p[1]!, p[5]!), fold(p[3]!, p[7]!)))
}

/** The word of element e. Cost: its terms. */
export function evaluateElement(record: ComputedRecord, e: number, readWord: ReadWord): number {
  const { reduction, terms: K } = record
  if (reduction === 'none') return evaluateTerm(record, e, 0, readWord)
  if (reduction === 'sum') return sumUpTo(record, e, { from: 0, step: 1, count: K }, startOf(reduction), readWord)
  const partials = Array.from({ length: LANES }, (_, lane) =>
    sumUpTo(record, e, { from: lane, step: LANES, count: laneTerms(K, lane) }, startOf(reduction), readWord),
  )
  return foldLanes(reduction, partials)
}

/** `partial` after the terms k = from, from + step, …, `count` of them. */
export function sumUpTo(
  record: ComputedRecord,
  e: number,
  { from, step, count }: { from: number; step: number; count: number },
  partial: number,
  readWord: ReadWord,
): number {
  let sum = partial
  for (let i = 0; i < count; i++) {
    sum = foldTerm(record.reduction, sum, evaluateTerm(record, e, from + i * step, readWord))
  }
  return sum
}

const canonical = (word: number): number => (Number.isNaN(floatOfWord(word)) ? NAN_WORD : word)

function runInstruction(
  { operation, arguments: from, immediate }: Instruction,
  registers: Uint32Array,
  inputs: readonly number[],
): number {
  const [a = 0, b = 0, c = 0] = from.map((register) => registers[register]!)
  const [x, y] = [floatOfWord(a), floatOfWord(b)]
  switch (operation) {
    case 'input':
      return inputs[immediate]!
    case 'constant':
      return wordOfFloat(immediate)
    case 'integer':
      return immediate >>> 0
    case 'add':
      return wordOfFloat(x + y)
    case 'subtract':
      return wordOfFloat(x - y)
    case 'multiply':
      return wordOfFloat(x * y)
    case 'divide':
      return wordOfFloat(x / y)
    case 'sqrt':
      return wordOfFloat(exactSqrt(x))
    case 'negate':
      return wordOfFloat(-x)
    case 'absolute':
      return wordOfFloat(Math.abs(x))
    case 'less':
      return x < y ? 1 : 0
    case 'lessOrEqual':
      return x <= y ? 1 : 0
    case 'equal':
      return x === y ? 1 : 0
    case 'select':
      return a === 1 ? b : c
    case 'bits':
    case 'fromBits':
      return canonical(a)
    case 'toFloat':
      return wordOfFloat(a | 0)
    case 'integerAdd':
      return (a + b) >>> 0
    case 'integerSubtract':
      return (a - b) >>> 0
    case 'shiftLeft':
      return (a << immediate) >>> 0
    case 'shiftRight':
      return ((a | 0) >> immediate) >>> 0
    case 'integerEqual':
      return a === b ? 1 : 0
    case 'integerLessOrEqual':
      return (a | 0) <= (b | 0) ? 1 : 0
  }
}
