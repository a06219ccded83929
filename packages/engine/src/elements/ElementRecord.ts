/**
 * A record says what one trace leaf must be: for an operator, how any one of its elements is computed from words of
 * earlier leaves (D-08 … D-10). It is all that a judge needs to know of an operator.
 */
import type { Instruction } from '../scalar/ScalarProgram.ts'

/** (⌊v / divide⌋ mod modulo)·coefficient, where v is the element or the summation index; modulo 0 means none. */
export type IndexTerm = {
  readonly variable: 'element' | 'summation'
  readonly divide: number
  readonly modulo: number
  readonly coefficient: number
}

/**
 * s = constant + Σ terms. When s < 0, or divisor does not divide s, or limit ≠ 0 and s/divisor ≥ limit, the operand is the
 * word 0; else the axis adds (s / divisor)·coefficient to the index.
 */
export type IndexAxis = {
  readonly constant: number
  readonly divisor: number
  readonly limit: number
  readonly coefficient: number
  readonly terms: readonly IndexTerm[]
}

export type ElementOperand = {
  /** The word at offset + index of a trace leaf, or the integer index itself. */
  readonly source: 'tensor' | 'index'
  readonly leaf: number
  /** Levels of that leaf's tree. */
  readonly depth: number
  readonly offset: number
  /** 0, or the number (from 1) of an earlier operand whose integer, below `indirectLimit`, times `indirectCoefficient` is added. */
  readonly indirect: number
  readonly indirectCoefficient: number
  readonly indirectLimit: number
  readonly axes: readonly IndexAxis[]
}

export const reductions = ['none', 'sum', 'rowSum', 'rowMaximum'] as const
export type Reduction = (typeof reductions)[number]

export type ComputedRecord = {
  readonly kind: 'element'
  readonly size: number
  readonly reduction: Reduction
  /** Terms of each sum (K); 0 without reduction. */
  readonly terms: number
  readonly operands: readonly ElementOperand[]
  /** Arguments are registers; a register is the number of the instruction that writes it. */
  readonly instructions: readonly Instruction[]
  readonly output: number
}

/** Elements `start` … `start + length − 1` of the state are elements `offset` … of a trace leaf. */
export type Segment = {
  readonly start: number
  readonly length: number
  readonly leaf: number
  readonly depth: number
  readonly offset: number
}

export type ElementRecord =
  | ComputedRecord
  | { readonly kind: 'before' }
  | { readonly kind: 'after'; readonly partDepth: number; readonly segments: readonly Segment[] }
  | {
      readonly kind: 'tokens'
      readonly size: number
      /** T */
      readonly context: number
      /** Bytes of the text (N). */
      readonly length: number
      readonly shift: number
      readonly dataDepth: number
      readonly dataRoot: Uint8Array
    }
  | { readonly kind: 'fixed'; readonly root: Uint8Array }
  | { readonly kind: 'schedule'; readonly depth: number; readonly root: Uint8Array }
  | { readonly kind: 'uniform'; readonly size: number; readonly purpose: number }
  | { readonly kind: 'base' }
  /** Of a round's result: the reference update that its run claims. */
  | { readonly kind: 'reference' }
  /** Of a round's result: the tree over the updates that take part, one part a share, zeros where there is none. */
  | { readonly kind: 'updates' }

/** Position is the kind's number (D-08). */
export const recordKinds = [
  'element',
  'before',
  'after',
  'tokens',
  'fixed',
  'schedule',
  'uniform',
  'base',
  'reference',
  'updates',
] as const
