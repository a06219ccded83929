import { encode } from '@ipld/dag-cbor'
import {
  type AuditReport,
  fromHex,
  type Hex,
  merkleRootOfNodes,
  type Proposal,
  sha256,
  sumTree,
  toHex,
} from '@potluck/protocol'
import type { PayLeaf } from './payouts.ts'

export type RoundResult = {
  job: number
  round: number
  beacon: Hex
  leaves: readonly PayLeaf[]
  claims: AuditReport['claims']
  stateDigest: Hex
  stateRoot: Hex
  /** State roots of the reference run, then its update root; empty where nothing can be recomputed. */
  run: Hex[]
  /** How many convictions the result takes account of. */
  convictions: number
}

const NO_RUN: Hex = `0x${'00'.repeat(32)}`

/**
 * What a round's proposal points to: the list of cumulative pay, the audit report that names it, and the proposal itself.
 * Canonical bytes throughout: equal results give equal digests.
 */
export function resultDocuments(result: RoundResult): { payout: Uint8Array; report: Uint8Array; proposal: Proposal } {
  const { job, round, beacon, leaves, claims, stateDigest, stateRoot, run, convictions } = result
  const payout = encode({
    type: 'payout',
    job,
    round,
    leaves: leaves.map(({ account, amount }) => ({ account, amount: amount.toString() })),
  })
  const report = encode({
    type: 'audit',
    job,
    round,
    beacon,
    claims: claims.map((claim) => ({ ...claim, pay: claim.pay.toString() })),
    run,
    payout: toHex(sha256(payout)),
  })
  const tree = sumTree(leaves.map((leaf) => ({ ...leaf })))
  return {
    payout,
    report,
    proposal: {
      stateDigest,
      stateRoot,
      payoutRoot: tree.root,
      auditRoot: toHex(sha256(report)),
      runRoot: run.length === 0 ? NO_RUN : toHex(merkleRootOfNodes(run.map(fromHex))),
      payoutTotal: tree.total,
      convictions,
    },
  }
}
