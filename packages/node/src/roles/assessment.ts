/**
 * One validator's own knowledge of a round after its beacon: the claims behind the fixed root, which are drawn for audit, what
 * recomputation said, and the result that follows. Everything but `ownChecks` is the same for every honest validator.
 */
import {
  type Claim,
  claimLeafHash,
  fromHex,
  type Hex,
  merkleRootOfBytes,
  merkleRootOfNodes,
  PotluckError,
  proposalHash,
  setTree,
  sha256,
  sumTree,
  toHex,
  utf8,
} from '@potluck/protocol'
import { DAG_CBOR, RAW } from '@potluck/store'
import type { JobView } from '../JobView.ts'
import { payoutList } from '../payoutList.ts'
import { auditRates } from '../round/auditRates.ts'
import { type AuditDraw, drawAudits } from '../round/drawAudits.ts'
import { type PayLeaf, payoutsAfter, sharePayDown } from '../round/payouts.ts'
import { type resultDocuments as ResultOf, resultDocuments } from '../round/resultDocuments.ts'
import { taskSeed } from '../round/taskSeed.ts'

export type OwnCheck = { matches: boolean; correct: Hex; probe: Hex }

export type Assessment = {
  key: string
  claims: Claim[]
  hashes: Hex[]
  /** State roots behind each claim, as the committee passed them on. */
  states: Hex[][]
  draws: AuditDraw[]
  paidBefore: PayLeaf[]
  sharePay: bigint
  ownChecks: Map<number, OwnCheck>
  result?: ReturnType<typeof ResultOf> & { hash: Hex; state: Uint8Array }
}

const ZERO: Hex = `0x${'00'.repeat(32)}`

export const assessmentKey = (view: JobView): string => `${view.job}/${view.round}/${view.status.beacon}`

/** The list behind the last final payout root; empty before the first. */
async function paidBefore(view: JobView): Promise<PayLeaf[]> {
  if (view.status.finalRounds === 0) return []
  const leaves = await payoutList(view.ports, view.facts, view.sources())
  if (sumTree(leaves).root !== view.status.finalPayoutRoot.toLowerCase()) {
    throw new PotluckError('WRONG_PAYOUT', 'the payout list found is not the one whose root is final', {
      job: view.job,
    })
  }
  return leaves
}

/** The start of an assessment, or undefined while nobody has told us the claims behind the fixed root. */
export async function beginAssessment(view: JobView): Promise<Assessment | undefined> {
  const { job, round, status, terms, document, inbox } = view
  for (const { body } of inbox.of('set', job, round)) {
    const hashes = body.claims.map((claim) => claimLeafHash(job, round, claim))
    if (hashes.length === 0 || hashes.length !== status.count || setTree(hashes).root !== status.setRoot) continue
    const paid = await paidBefore(view)
    const sharePay = sharePayDown(terms.payPerRound, view.program.shares)
    const rates =
      document.kind === 'language'
        ? auditRates(body.claims, {
            policy: document.audit,
            bondSalt: terms.workerBond,
            sharePay,
            paidBefore: paid,
            beaconMissing: status.beaconMissing,
          })
        : body.claims.map(() => 0)
    const validators = view.facts.validators.filter((node) => !view.facts.expelled.has(node))
    return {
      key: assessmentKey(view),
      claims: body.claims,
      hashes,
      states: body.states,
      draws: drawAudits(status.beacon, rates, validators, view.program.steps),
      paidBefore: paid,
      sharePay,
      ownChecks: new Map(),
    }
  }
  return undefined
}

/** Does the claim's work again, all of it, and says whether it gives the claim; `correct` is the hash of the claim it gives. */
export async function recompute(
  view: JobView,
  assessment: Assessment,
  index: number,
  signal: AbortSignal,
): Promise<OwnCheck> {
  const { job, round, document, identity } = view
  const claim = assessment.claims[index] as Claim
  const jobSeed = document.kind === 'language' ? document.seed : ZERO
  const result = await view.program.work({
    state: await view.baseState(),
    seed: taskSeed(jobSeed, round, claim.share, claim.worker),
    signal,
  })
  const honest: Claim = {
    ...claim,
    updateDigest: toHex(sha256(result.update)),
    updateRoot: toHex(merkleRootOfBytes(result.update)),
    statesRoot: toHex(merkleRootOfNodes(result.stateRoots.map(fromHex))),
  }
  const correct = claimLeafHash(job, round, honest)
  const step = (assessment.draws[index] as AuditDraw).probeStep % result.stateRoots.length
  // Bound to our address: another auditor cannot repeat it as its own.
  const probe = toHex(sha256(utf8('potluck probe'), fromHex(identity.node), fromHex(result.stateRoots[step] as Hex)))
  return { matches: correct === assessment.hashes[index], correct, probe }
}

/** The round's result: the next state from all claims that stand, what everybody has earned by now, and the report that says why. */
export async function conclude(view: JobView, assessment: Assessment): Promise<NonNullable<Assessment['result']>> {
  const { job, round, status, facts, ports } = view
  const { claims, hashes, draws, sharePay } = assessment
  const stands = claims.map(({ worker }) => !facts.expelled.has(worker))
  const updates = await Promise.all(
    claims
      .filter((_, i) => stands[i])
      .map(({ updateDigest, worker }) => ports.fetch(updateDigest, RAW, view.sources(view.directory.urlOf(worker)))),
  )
  const { state, weightsPpm } = await view.program.aggregate({
    state: await view.baseState(),
    round,
    beacon: status.beacon,
    updates,
  })
  const leaves = payoutsAfter(
    assessment.paidBefore,
    claims.map(({ worker }, i) => ({ worker, accepted: stands[i] as boolean })),
    sharePay,
  )
  let standing = 0
  const entries = claims.map(({ worker, share }, i) => {
    const { ratePpm, auditor } = draws[i] as AuditDraw
    const isIn = stands[i] as boolean
    const outcome = isIn ? (auditor ? 'matches' : 'not-drawn') : auditor ? 'wrong' : 'expelled'
    const weightPpm = isIn ? (weightsPpm[standing++] ?? 0) : 0
    return {
      hash: hashes[i] as Hex,
      worker,
      share,
      ratePpm,
      auditor,
      outcome,
      weightPpm,
      pay: isIn ? sharePay : 0n,
    } as const
  })
  const documents = resultDocuments({
    job,
    round,
    beacon: status.beacon,
    leaves,
    claims: entries,
    stateDigest: toHex(sha256(state)),
    stateRoot: toHex(merkleRootOfBytes(state)),
  })
  await ports.store.put(state, RAW)
  await ports.store.put(documents.payout, DAG_CBOR)
  await ports.store.put(documents.report, DAG_CBOR)
  return { ...documents, hash: proposalHash(job, round, documents.proposal), state }
}
