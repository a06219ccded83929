import type { StepTrace } from './StepTrace.ts'

/** The state roots of a range of steps: before it, and after each of its steps. For the finish: last state, update root. */
export type StatesRow = readonly Uint8Array[]

/**
 * One side's truth about a claim: what it says the states are, and the trace of any step. Made by recomputation, by an
 * honest side; by whatever it likes, by a liar.
 */
export type ClaimTruth = {
  /** State roots at the ends of the segments, in order: the nodes of the states root (D-04). */
  nodes(): Promise<readonly Uint8Array[]>
  /** The update root that the finish makes. */
  updateRoot(): Promise<Uint8Array>
  /** The state roots of segment j, or of the finish for j = number of segments. */
  statesRow(segment: number): Promise<StatesRow>
  /** The trace of step s; of the finish for s = number of steps. */
  trace(step: number): Promise<StepTrace>
}
