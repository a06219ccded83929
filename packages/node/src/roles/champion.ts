/** Stands up for this node's own claims when somebody challenges them, in any round of the job. */
import { claimLeafHash, type Hex } from '@potluck/protocol'
import { claimArgument, createChampion } from '@potluck/referee'
import { RAW } from '@potluck/store'
import type { JobView } from '../JobView.ts'
import { taskSeed } from '../round/taskSeed.ts'
import { type Delivery, deliveriesOfJob } from './delivery.ts'
import { Pursuits } from './Pursuits.ts'
import { refereeOf } from './refereeOf.ts'

export function createChampionRole(): { tick(view: JobView): Promise<void> } {
  const pursuits = new Pursuits()

  async function standUp(view: JobView, round: number, { claim, baseDigest }: Delivery): Promise<Player | undefined> {
    const { exact } = view.program
    if (!exact || view.document.kind !== 'language') return undefined
    const seed = taskSeed(view.document.seed, round, claim.share, claim.worker)
    const state = await view.ports.fetch(baseDigest, RAW, view.sources())
    return createChampion({
      chain: refereeOf(view),
      job: exact.job,
      jobId: view.job,
      round,
      claim: claimArgument(claim),
      seed,
      truth: exact.truthOf({ state, seed }),
    })
  }

  return {
    async tick(view) {
      if (!view.program.exact || view.facts.disputes.size === 0) return
      for (const { round, delivery } of deliveriesOfJob(view)) {
        const subject: Hex = claimLeafHash(view.job, round, delivery.claim)
        const dispute = view.facts.disputes.get(subject)
        if (!dispute || dispute.isWrong || dispute.open.size === 0) continue
        pursuits.pursue(view, subject, 'stands up for its claim', () => standUp(view, round, delivery))
      }
    },
  }
}

type Player = ReturnType<typeof createChampion>
