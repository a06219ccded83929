import type { Engine } from '@potluck/engine'
import { recomputeResult, wrongElement } from '@potluck/referee'
import type { JobProgram } from '../program/JobProgram.ts'
import { byShare } from '../program/languageProgram.ts'
import { bytesOfFloats, floatsOf } from '../program/tensorBytes.ts'
import { referenceSeed } from '../round/taskSeed.ts'

/**
 * A drill: a validator that works honestly but for one weight of every result, which it moves by one unit in the last place, and
 * that disputes whoever computes another.
 */
export function twistingProgram(engine: Engine, honest: JobProgram): JobProgram {
  const { exact } = honest
  if (!exact) return honest
  const { job } = exact
  const last = job.aggregate.records.length - 1
  const twist = wrongElement(last, 0)
  return {
    ...honest,
    async aggregate(task) {
      const result = await honest.aggregate(task)
      const next = floatsOf(result.state)
      twist(last, new Uint32Array(next.buffer))
      return { ...result, state: bytesOfFloats(next) }
    },
    exact: {
      ...exact,
      resultOf: ({ state, round, beacon, updates }) =>
        recomputeResult({
          ...{ job, engine, base: floatsOf(state), seed: referenceSeed(beacon, round) },
          updates: byShare(honest, updates),
          tamper: (step) => (step > job.steps ? twist : undefined),
        }),
    },
  }
}
