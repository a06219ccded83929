import type { Engine } from '@potluck/engine'
import { recomputeClaim } from '@potluck/referee'
import type { JobProgram } from '../program/JobProgram.ts'
import { floatsOf } from '../program/tensorBytes.ts'

/**
 * A drill: a worker that does a quarter of its steps and claims them all, with the last state repeated so that the claim looks whole.
 * Challenged, it stands up for its lie: by its account every later step leaves the state as it was.
 *
 * @param shortened the same program with a quarter of the steps
 * @param stateCount state roots that an honest claim is made of
 */
export function lazyProgram(engine: Engine, honest: JobProgram, shortened: JobProgram, stateCount: number): JobProgram {
  const { exact } = honest
  return {
    ...honest,
    async work(task) {
      const result = await shortened.work(task)
      const stateRoots = [...result.stateRoots]
      for (let last = stateRoots.at(-1); last && stateRoots.length < stateCount; ) stateRoots.push(last)
      return { ...result, stateRoots }
    },
    ...(exact && {
      exact: {
        ...exact,
        truthOf: ({ state, seed }) =>
          recomputeClaim({ job: exact.job, engine, base: floatsOf(state), seed, idleFrom: shortened.steps }),
      },
    }),
  }
}
