import type { Chain } from '@potluck/chain'
import { codeOf } from '@potluck/protocol'
import { participant } from '../network/plan.ts'
import type { Demo } from './Demo.ts'
import { waitFor } from './waitFor.ts'

export type Status = Awaited<ReturnType<Chain['read']['jobs']['status']>>

const ENROLLING = 1
const DONE = 6

export const nodeUrl = (demo: Demo, name: string): string => `http://127.0.0.1:${participant(demo.plan, name).httpPort}`

/** Waits until enough nodes have enrolled, and starts the job: anybody may. */
export async function startJob(demo: Demo, job: number, workers: number): Promise<void> {
  const { chain, screen, signal } = demo
  const status = await waitFor(
    `members for job ${job}`,
    async () => {
      const now = await chain.read.jobs.status([BigInt(job)])
      screen.live(`enrolled: ${now.workers} workers, ${now.validators} validators, ${now.witnesses} witnesses`)
      const isFull = now.workers >= workers && now.validators >= 3 && now.witnesses >= 7
      return now.phase !== ENROLLING || isFull ? now : undefined
    },
    { timeoutMs: 90_000, signal },
  )
  screen.fact(
    `enrolled: ${status.workers} workers, ${status.validators} validators, ${status.witnesses} witnesses; bonds locked`,
  )
  if (status.phase === ENROLLING) await demo.wallet('builder').send('jobs', 'start', [BigInt(job)])
}

/** Waits for the job's end, showing what `describe` says meanwhile, registers the model and gives back what was not earned. */
export async function awaitModel(
  demo: Demo,
  job: number,
  describe: (status: Status) => Promise<string> | string,
): Promise<number> {
  const { chain, screen, signal } = demo
  const builder = demo.wallet('builder')
  await waitFor(
    `job ${job}`,
    async () => {
      const status = await chain.read.jobs.status([BigInt(job)])
      if (status.phase >= DONE) return true
      screen.live(await describe(status))
      return undefined
    },
    { timeoutMs: 600_000, everyMs: 400, signal },
  )
  for (const step of ['publishModel', 'refund'] as const) {
    try {
      await builder.send('jobs', step, [BigInt(job)])
    } catch (error) {
      // Anybody may do either, and somebody else was first.
      if (codeOf(error) !== 'REVERTED') throw error
    }
  }
  const { modelVersion } = await chain.read.jobs.status([BigInt(job)])
  screen.fact(
    `job ${job} done; its model is asset version ${modelVersion}, with its parents and contributors fixed on chain`,
  )
  return Number(modelVersion)
}
