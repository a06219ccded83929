import type { Rule } from '../aggregation/Rule.ts'

/** What attackers see of a round before they answer. */
export type AttackerView = {
  readonly honest: readonly Float32Array[]
  /** What each attacker trained on its own data, after `poisonData`. */
  readonly own: readonly Float32Array[]
  readonly rule: Rule
  /** What they take for the reference: the reference itself is drawn after they answered. The honest mean when left out. */
  readonly guess?: Float32Array | undefined
  /** Aggregate of the round before. */
  readonly previous?: Float32Array | undefined
  readonly round: number
  readonly seed: Uint8Array
  /** What receivers decode of an update sent; the update itself when left out. */
  readonly sent?: ((update: Float32Array) => Float32Array) | undefined
  /** Loss of the model after an aggregate, on the attackers' data; when given, the adaptive attacker raises it. */
  readonly lossAfter?: ((aggregate: Float32Array) => number) | undefined
}
