import type { JobProgram } from '../program/JobProgram.ts'

/**
 * A drill: a worker that does a quarter of its steps and claims them all, with the last state repeated so that the claim looks whole.
 *
 * @param shortened the same program with a quarter of the steps
 * @param stateCount state roots that an honest claim is made of
 */
export function lazyProgram(honest: JobProgram, shortened: JobProgram, stateCount: number): JobProgram {
  return {
    ...honest,
    async work(task) {
      const result = await shortened.work(task)
      const stateRoots = [...result.stateRoots]
      for (let last = stateRoots.at(-1); last && stateRoots.length < stateCount; ) stateRoots.push(last)
      return { ...result, stateRoots }
    },
  }
}
