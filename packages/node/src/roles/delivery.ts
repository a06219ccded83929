/** The way of a finished share into the round's set, the same for workers and data owners: commit, publish when closed, or post on chain. */
import { type Claim, type Hex, toHex } from '@potluck/protocol'
import { type JobView, Phase } from '../JobView.ts'
import { commitHash } from '../round/taskSeed.ts'

export type Delivery = {
  claim: Claim
  states: Hex[]
  /** The state that the claim starts from: a disputed claim is recomputed from it, rounds later if need be. */
  baseDigest: Hex
  lossMilli: number
  finishedMs: number
  /** Of the update as it travels. */
  updateBytes: number
}

const keyOf = (view: JobView, share: number): string => `delivery/${view.job}/${view.round}/${share}`

export function saveDelivery(view: JobView, delivery: Delivery): void {
  view.ports.disk.set(keyOf(view, delivery.claim.share), JSON.stringify(delivery))
}

/** Finished shares of this round that still fit its base; they survive a crash. */
export function loadDeliveries(view: JobView): Delivery[] {
  return view.ports.disk
    .keys(`delivery/${view.job}/${view.round}/`)
    .map((key) => JSON.parse(view.ports.disk.get(key) as string) as Delivery)
    .filter(({ claim }) => claim.baseRoot === view.baseRoot)
}

/** Everything this node ever delivered for the job, by round. */
export function deliveriesOfJob({
  job,
  ports,
}: {
  job: number
  ports: Pick<JobView['ports'], 'disk'>
}): { round: number; delivery: Delivery }[] {
  return ports.disk.keys(`delivery/${job}/`).map((key) => ({
    round: Number(key.split('/')[2]),
    delivery: JSON.parse(ports.disk.get(key) as string) as Delivery,
  }))
}

export function commitOf(view: JobView, { share, worker, updateDigest }: Claim): Hex {
  return toHex(commitHash(view.job, view.round, share, worker, updateDigest))
}

/**
 * Stands by everything delivered: says the commit until the round moves on, opens it once a committee member closed with it, and
 * posts it on chain when no member has for three times the silence the job allows (the way round a censor).
 */
export async function standByDeliveries(view: JobView): Promise<void> {
  if (view.status.phase !== Phase.open) return
  const { job, round, outbox, inbox, identity } = view
  const closes = inbox.of('close', job, round).filter(({ node }) => view.committee.includes(node))
  const closed = new Set(closes.flatMap(({ body }) => body.commits.map(({ commit }) => commit)))
  for (const { claim, states, lossMilli, finishedMs } of loadDeliveries(view)) {
    const commit = commitOf(view, claim)
    const commitKey = `${job}/${round}/commit/${claim.share}`
    if (!outbox.has(commitKey)) {
      await outbox.stand(commitKey, { kind: 'commit', body: { job, round, share: claim.share, commit } })
    }
    const posted = `posted/${job}/${round}/${view.status.attempt}`
    // Another's delivery of the same share was taken: we were away, or slow. That is no censorship.
    const isOvertaken = closes.some(({ body }) => body.commits.some(({ share }) => share === claim.share))
    const isIgnored = closes.length > 0 || view.nowMs - finishedMs > 3_000 * view.document.silenceSeconds
    if (!closed.has(commit) && isIgnored && !isOvertaken && !view.ports.disk.get(posted)) {
      const isSent = await view.act('post claim directly', () =>
        view.ports.chain.send('jobs', 'postClaim', [BigInt(job), round, commit]),
      )
      if (isSent) view.ports.disk.set(posted, commit)
    }
    const claimKey = `${job}/${round}/claim/${claim.share}`
    const mayOpen = closed.has(commit) || view.ports.disk.get(posted) !== undefined
    if (mayOpen && !outbox.has(claimKey)) {
      await outbox.stand(claimKey, { kind: 'claim', body: { job, round, claim, states, url: identity.url, lossMilli } })
    }
  }
}
