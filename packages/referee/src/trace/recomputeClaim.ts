import type { Engine, ExactJob, Execution } from '@potluck/engine'
import type { ClaimTruth } from './ClaimTruth.ts'
import { rootOf } from './HashTree.ts'
import type { StepTrace } from './StepTrace.ts'
import { evaluateTraced, runTraced, traceRun, wordsOf } from './tracedRun.ts'
import { type StateWords, type Tamper, treeOfWords } from './wordTrace.ts'

export type Recomputation = {
  readonly job: ExactJob
  readonly engine: Engine
  /** The state that the round starts from: the first part; the other parts start at zero. */
  readonly base: Float32Array
  /** The seed of the claim's task; `claimSeed` makes it. */
  readonly seed: Uint8Array
  /** What a liar changes in the trace of a step. An honest side has none. */
  readonly tamper?: (step: number) => Tamper | undefined
  /** A lazy liar: from this step on its state stays as it is. */
  readonly idleFrom?: number
  /** Memory for states at the starts of segments; what is not kept is computed again. Default 256 MiB. */
  readonly keepBytes?: number
}

/**
 * The truth about a claim by doing its work again. Nothing is computed before it is asked for; a segment costs its steps
 * from the nearest state that was kept.
 */
export function recomputeClaim(given: Recomputation): ClaimTruth {
  const { job, engine, base, seed, tamper, idleFrom = job.steps, keepBytes = 256 * 2 ** 20 } = given
  const segments = Math.ceil(job.steps / job.stateEverySteps)
  const stateBytes = 4 * job.parts.reduce((sum, size) => sum + size, 0)
  const kept = new Map<number, StateWords>([[0, startOf(job.parts, base)]])
  const rows = new Map<number, Promise<readonly Uint8Array[]>>()
  let nodes: Promise<readonly Uint8Array[]> | undefined
  let running: Promise<Execution> | undefined
  let lastTrace: { step: number; trace: Promise<StepTrace> } | undefined

  /** The state before a step, from a kept one; `onState` hears of every state from step `since` on, this one included. */
  async function stateBefore(
    step: number,
    since = step,
    onState: (at: number, state: StateWords) => void = () => undefined,
  ): Promise<StateWords> {
    const nearest = Math.max(...[...kept.keys()].filter((at) => at <= since))
    let state = kept.get(nearest) as StateWords
    for (let at = nearest; at < step; at++) {
      if (at >= since) onState(at, state)
      state = await advance(at, state)
      const next = at + 1
      if (next % job.stateEverySteps === 0 && kept.size * stateBytes < keepBytes) kept.set(next, state)
    }
    onState(step, state)
    return state
  }

  async function advance(step: number, state: StateWords): Promise<StateWords> {
    if (step >= idleFrom) return state
    const change = tamper?.(step)
    if (!change) {
      running ??= engine.prepare(job.step.program)
      const execution = await running
      if (runTraced(execution, job.step, state, job.feed(step, seed))) {
        return job.step.stateInputs.map((name, part) =>
          name === undefined ? (state[part] as Uint32Array) : wordsOf(execution.read(name)),
        )
      }
    }
    return evaluateTraced(job.step, state, job.feed(step, seed), change).at(-1) as StateWords
  }

  async function makeTrace(step: number): Promise<StepTrace> {
    const state = await stateBefore(step)
    const isFinish = step === job.steps
    const traced = isFinish ? job.finish : job.step
    const inputs = isFinish ? { base } : job.feed(step, seed)
    const isIdle = !isFinish && step >= idleFrom
    return traceRun(engine, traced, state, inputs, { tamper: tamper?.(step), next: isIdle ? state : undefined })
  }

  function trace(step: number): Promise<StepTrace> {
    if (lastTrace?.step !== step) lastTrace = { step, trace: makeTrace(step) }
    return lastTrace.trace
  }

  async function makeRow(segment: number): Promise<readonly Uint8Array[]> {
    const first = segment * job.stateEverySteps
    if (segment === segments) {
      const last = await stateBefore(job.steps)
      return [rootOf(treeOfWords(last)), rootOf((await trace(job.steps)).leafTree(job.finish.records.length - 1))]
    }
    const row: Uint8Array[] = []
    await stateBefore(Math.min(first + job.stateEverySteps, job.steps), first, (at, state) => {
      row[at - first] = rootOf(treeOfWords(state))
    })
    return row
  }

  function statesRow(segment: number): Promise<readonly Uint8Array[]> {
    const row = rows.get(segment) ?? makeRow(segment)
    rows.set(segment, row)
    return row
  }

  async function makeNodes(): Promise<readonly Uint8Array[]> {
    const made: Uint8Array[] = []
    await stateBefore(job.steps, 0, (at, state) => {
      if (at > 0 && (at % job.stateEverySteps === 0 || at === job.steps)) made.push(rootOf(treeOfWords(state)))
    })
    return made
  }

  return {
    nodes() {
      nodes ??= makeNodes()
      return nodes
    },
    updateRoot: async () => (await statesRow(segments)).at(-1) as Uint8Array,
    statesRow,
    trace,
  }
}

function startOf(parts: readonly number[], base: Float32Array): StateWords {
  return parts.map((size, part) => (part === 0 ? wordsOf(base.slice()) : new Uint32Array(size)))
}
