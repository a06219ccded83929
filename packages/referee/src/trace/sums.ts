import { type ComputedRecord, evaluateTerm, foldTerm, LANES, laneTerms, startOf } from '@potluck/engine'
import type { SumRange } from './StepTrace.ts'

/** Terms of one lane of an element: all K of a sum, every eighth of a row reduction. */
export const termsInLane = (record: ComputedRecord, lane: number): number =>
  record.reduction === 'sum' ? record.terms : laneTerms(record.terms, lane)

/** The summation index k of term `i` of a lane. */
export const summationIndex = (record: ComputedRecord, lane: number, i: number): number =>
  record.reduction === 'sum' ? i : lane + LANES * i

/** The spacing of the partial sums over n ≥ 2 terms: the largest 64^i below n (D-15). */
export function spacingOf(n: number): number {
  let every = 1
  while (every * 64 < n) every *= 64
  return every
}

/** The whole of a lane, from its start. */
export function wholeLane(record: ComputedRecord, lane: number): SumRange {
  const end = termsInLane(record, lane)
  return { lane, first: 0, end, agreed: startOf(record.reduction), every: spacingOf(end) }
}

/** The partial sums of an element in a range, from words of its operands. Cost: one term evaluated for each place of the range. */
export function partialSums(
  record: ComputedRecord,
  element: number,
  { lane, first, end, agreed, every }: SumRange,
  read: (leaf: number, index: number) => number,
): number[] {
  const sums: number[] = []
  let partial = agreed
  for (let i = first; i < end; i++) {
    partial = foldTerm(record.reduction, partial, evaluateTerm(record, element, summationIndex(record, lane, i), read))
    if ((i - first + 1) % every === 0 || i === end - 1) sums.push(partial)
  }
  return sums
}

/** How many partial sums a range has. */
export const sumCount = ({ first, end, every }: Pick<SumRange, 'first' | 'end' | 'every'>): number =>
  Math.ceil((end - first) / every)
