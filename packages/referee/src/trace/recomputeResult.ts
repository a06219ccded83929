import type { ClaimTruth } from './ClaimTruth.ts'
import { rootOf } from './HashTree.ts'
import { type Recomputation, recomputeClaim } from './recomputeClaim.ts'
import type { StepTrace } from './StepTrace.ts'
import { floatsOf, traceRun, wordsOf } from './tracedRun.ts'
import { treeOfWords } from './wordTrace.ts'

export type ResultRecomputation = Recomputation & {
  /** The update of each share that takes part; absent where none does. */
  readonly updates: readonly (Float32Array | undefined)[]
}

/**
 * The truth about a round's result (D-23): the reference run, like a claim's, its update as the last node, then the aggregation as
 * one more range. `seed` is that of the reference run, which the beacon gives; step S + 1 is the aggregation.
 */
export function recomputeResult(given: ResultRecomputation): ClaimTruth {
  const { job, engine, base, updates, tamper } = given
  const reference = recomputeClaim(given)
  const segments = Math.ceil(job.steps / job.stateEverySteps)
  const lastLeaf = job.aggregate.records.length - 1
  let aggregation: Promise<StepTrace> | undefined

  async function makeAggregation(): Promise<StepTrace> {
    const finish = await reference.trace(job.steps)
    const update = Uint32Array.from({ length: base.length }, (_, i) => finish.word(job.finish.records.length - 1, i))
    const rows = Array.from({ length: job.shares }, (_, share) => updates[share] ?? new Float32Array(base.length))
    const inputs = { reference: floatsOf(update), updates: rows }
    return traceRun(engine, job.aggregate, [wordsOf(base)], inputs, { tamper: tamper?.(job.steps + 1) })
  }

  function trace(step: number): Promise<StepTrace> {
    if (step <= job.steps) return reference.trace(step)
    aggregation ??= makeAggregation()
    return aggregation
  }

  const stateRoot = async (): Promise<Uint8Array> => rootOf((await trace(job.steps + 1)).leafTree(lastLeaf))
  return {
    nodes: async () => [...(await reference.nodes()), await reference.updateRoot()],
    updateRoot: stateRoot,
    statesRow: async (range) =>
      range <= segments ? reference.statesRow(range) : [rootOf(treeOfWords([wordsOf(base)])), await stateRoot()],
    trace,
  }
}
