/** Who funded the jobs: starts them, and when they are done registers the model and takes back what was not earned. */
import { codeOf } from '@potluck/protocol'
import type { Network } from './Network.ts'
import type { World } from './World.ts'

const ENROLLING = 1
const DONE = 6

export function startBuilder(network: Network, world: World): { isDone: () => boolean } {
  const { scheduler, chain } = world
  const life = { isAlive: true }
  const draws = world.draws('builder')
  const client = chain.clientOf(-2, life, network.builder.secret)
  const left = new Set([network.languageJob, network.privateJob])

  async function attempt(step: 'start' | 'publishModel' | 'refund', job: number): Promise<void> {
    try {
      await client.send('jobs', step, [BigInt(job)])
    } catch (error) {
      if (codeOf(error) !== 'REVERTED' && codeOf(error) !== 'RPC_UNREACHABLE') throw error
    }
  }

  async function follow(job: number): Promise<void> {
    await scheduler.sleep(draws.between(500, 3_000), life)
    for (;;) {
      const { phase, modelVersion, refunded } = await client.read.jobs.status([BigInt(job)])
      if (phase === ENROLLING) await attempt('start', job)
      if (phase >= DONE && modelVersion === 0n) await attempt('publishModel', job)
      if (phase >= DONE && !refunded) await attempt('refund', job)
      if (phase >= DONE && modelVersion !== 0n && refunded) break
      await scheduler.sleep(1_000, life)
    }
    left.delete(job)
  }

  for (const job of [...left]) {
    void follow(job).catch((error: unknown) => world.escaped.push(`builder: ${(error as Error).stack ?? error}`))
  }
  return { isDone: () => left.size === 0 }
}
