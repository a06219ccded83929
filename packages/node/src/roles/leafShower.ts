/** Shows leaves of claimed updates that somebody demands on chain: the worker at once, whoever heard the claim when it is silent. */
import { type Claim, claimLeafHash, type Hex, leavesOfBytes, merkleProof, toHex } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import type { JobView } from '../JobView.ts'
import { loadDeliveries } from './delivery.ts'

/** Between nodes that would all show one leaf; the clock of a demand is many times that. */
const STEP_MS = 2_000

export function createLeafShower(): { tick(view: JobView): Promise<void> } {
  const seenMs = new Map<number, number>()

  /** How long this node leaves the demand to others; undefined when it has nothing to do with the job. */
  function patienceMs(view: JobView, claim: Claim): number | undefined {
    const { identity, facts } = view
    if (claim.worker === identity.node) return 0
    const place = [...facts.validators, ...facts.witnesses].indexOf(identity.node)
    return place < 0 ? undefined : (place + 1) * STEP_MS
  }

  async function show(view: JobView, demand: number, claim: Claim, leafIndex: number): Promise<void> {
    const update = await view.ports.fetch(claim.updateDigest, RAW, view.sources(view.directory.urlOf(claim.worker)))
    // A worker can claim bytes that are no update: there is no leaf of them to show.
    if (view.program.refuseUpdate(update, claim.worker) !== undefined) return
    const leaves = leavesOfBytes(view.program.tensorOf(update))
    const leaf = leaves[leafIndex]
    if (!leaf) return
    const proof: Hex[] = merkleProof(leaves, leafIndex).map(toHex)
    await view.act(`show leaf ${demand}`, () =>
      view.ports.chain.send('referee', 'showLeaf', [BigInt(demand), toHex(leaf), proof]),
    )
  }

  return {
    async tick(view) {
      const { job, round, facts, inbox, nowMs } = view
      if (facts.demands.size === 0 || !view.program.isExact) return
      const claims = [...loadDeliveries(view), ...inbox.of('claim', job, round).map(({ body }) => body)]
      for (const [demand, { subject, leafIndex }] of facts.demands) {
        const claim = claims.map((known) => known.claim).find((known) => claimLeafHash(job, round, known) === subject)
        const patience = claim && patienceMs(view, claim)
        const since = seenMs.get(demand) ?? nowMs
        seenMs.set(demand, since)
        if (claim && patience !== undefined && nowMs - since >= patience) await show(view, demand, claim, leafIndex)
      }
    },
  }
}
