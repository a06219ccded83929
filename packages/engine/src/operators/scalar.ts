import { type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'

/** A scalar program written in one expression: `scalar('add', 2, (s, [a, b]) => s.add(a, b))`. */
export function scalar<T extends readonly Real[]>(
  name: string,
  inputs: T['length'],
  write: (s: ScalarBuilder, inputs: T) => Real,
): ScalarProgram {
  const s = new ScalarBuilder(name)
  return s.finish(write(s, Array.from({ length: inputs }, () => s.input()) as readonly Real[] as T))
}

export type One = readonly [Real]
export type Two = readonly [Real, Real]
export type Three = readonly [Real, Real, Real]

export const identity = scalar<One>('identity', 1, (_, [x]) => x)
export const addition = scalar<Two>('add', 2, (s, [a, b]) => s.add(a, b))
export const product = scalar<Two>('multiply', 2, (s, [a, b]) => s.multiply(a, b))
export const quotient = scalar<Two>('divide', 2, (s, [a, b]) => s.divide(a, b))
export const square = scalar<One>('square', 1, (s, [x]) => s.multiply(x, x))
