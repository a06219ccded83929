import type { Net } from '@potluck/net'
import type { NodeRuntime } from '../NodeRuntime.ts'
import type { Evaluation } from '../roles/datasetOwner.ts'
import { deliveriesOfJob } from '../roles/delivery.ts'
import type { RowBudget } from '../roles/rowBudget.ts'
import type { LateShares } from '../roles/worker.ts'
import { type Handler, sendJson } from './httpServer.ts'

/** What a node tells anybody who asks: who it is, whom it sees, and how the jobs it knows stand. Nothing secret, nothing private. */
export function createStatusHandler(
  runtime: NodeRuntime,
  net: Net,
  own: {
    evaluations: () => Evaluation[]
    lateIn: (job: number) => LateShares | undefined
    rowBudget: RowBudget | undefined
  },
): Handler {
  return (request, response) => {
    if (request.method !== 'GET' || request.url !== '/status') return false
    const { identity, directory, inbox, ports } = runtime.context
    const nowMs = ports.clock.nowMs()
    const jobs = [...runtime.history.jobs.values()].map((facts) => {
      const round = runtime.roundOf(facts.job)
      return {
        job: facts.job,
        round,
        isOver: facts.isOver,
        workers: facts.workers,
        validators: facts.validators,
        witnesses: facts.witnesses,
        expelled: [...facts.expelled],
        beats: inbox.of('beat', facts.job, round).map(({ node, body, seenMs }) => ({
          worker: node,
          share: body.share,
          step: body.step,
          steps: body.steps,
          loss: body.lossMilli / 1000,
          ageMs: nowMs - seenMs,
        })),
        commits: inbox.of('commit', facts.job, round).map(({ node, body }) => ({ worker: node, share: body.share })),
        claims: inbox.of('claim', facts.job, round).map(({ node, body }) => ({
          worker: node,
          share: body.claim.share,
          loss: body.lossMilli / 1000,
          update: body.claim.updateDigest,
        })),
        /** Who was late with a share in the last round in which this node, as a worker, found anybody so. */
        late: own.lateIn(facts.job) ?? null,
        /** Updates that this node handed in, and the bytes of each. */
        handedIn: deliveriesOfJob({ job: facts.job, ports }).map((one) => ({
          round: one.round,
          share: one.delivery.claim.share,
          bytes: one.delivery.updateBytes,
        })),
      }
    })
    sendJson(response, 200, {
      node: identity.node,
      key: identity.key,
      roles: identity.roles,
      region: identity.region,
      url: identity.url,
      network: runtime.network,
      p2p: { peerId: net.peerId, addresses: net.addresses(), peers: net.peers() },
      known: directory.all(nowMs),
      block: runtime.blockNumber,
      evaluations: own.evaluations(),
      /** What may be learnt about a row of this node's table, and what of it is spent. */
      rowBudget: own.rowBudget ? { ...own.rowBudget.budget, spent: own.rowBudget.spent() } : null,
      jobs,
    })
    return true
  }
}
