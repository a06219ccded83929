/**
 * One validator's own knowledge of a round after its beacon: the claims behind the fixed root, which are drawn for audit, what
 * recomputation said, and the result that follows. Everything but `ownChecks` is the same for every honest validator.
 */
import {
  type AuditReport,
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
import { type JobView, Phase } from '../JobView.ts'
import { payoutList } from '../payoutList.ts'
import { auditRates } from '../round/auditRates.ts'
import { type AuditDraw, drawAudits } from '../round/drawAudits.ts'
import { type PayLeaf, payoutsAfter, sharePayDown } from '../round/payouts.ts'
import { reportContributions } from '../round/reportContributions.ts'
import { type resultDocuments as ResultOf, resultDocuments } from '../round/resultDocuments.ts'
import { takingPart } from '../round/takingPart.ts'
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
  /** `convictions`: how many the result takes account of; after a further one it is out of date. */
  result?: ReturnType<typeof ResultOf> & { hash: Hex; state: Uint8Array; convictions: number }
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
    updateRoot: toHex(merkleRootOfBytes(view.program.tensorOf(result.update))),
    statesRoot: toHex(merkleRootOfNodes(result.stateRoots.map(fromHex))),
  }
  const correct = claimLeafHash(job, round, honest)
  const step = (assessment.draws[index] as AuditDraw).probeStep % result.stateRoots.length
  // Bound to our address: another auditor cannot repeat it as its own.
  const probe = toHex(sha256(utf8('potluck probe'), fromHex(identity.node), fromHex(result.stateRoots[step] as Hex)))
  return { matches: correct === assessment.hashes[index], correct, probe }
}

/** How many convictions a result must take account of now: those the proposal names, or all there are before there is one. */
export const convictionsNow = ({ status, facts }: Pick<JobView, 'status' | 'facts'>): number =>
  status.phase === Phase.challenge ? status.proposal.convictions : facts.expelled.size

export type UpdatesInPart = {
  convicted: ReadonlySet<Hex>
  /** For each claim of the set whether it takes part (P-51). */
  isIn: boolean[]
  updates: { share: number; update: Uint8Array }[]
}

/**
 * What a result is made of, by so many convictions.
 *
 * @throws PotluckError VIEW_BEHIND when this node has not seen all of them yet
 */
export async function updatesInPart(
  view: JobView,
  { claims }: Pick<Assessment, 'claims'>,
  convictions: number,
): Promise<UpdatesInPart> {
  const { facts, ports, job } = view
  if (convictions > facts.expelled.size) {
    const seen = { job, seen: facts.expelled.size, named: convictions }
    throw new PotluckError('VIEW_BEHIND', 'the proposal counts convictions not seen yet', seen, { remedy: 'retry' })
  }
  const convicted = new Set([...facts.expelled].slice(0, convictions))
  const isIn = takingPart(claims, convicted, view.program.shares)
  const updates = await Promise.all(
    claims
      .filter((_, i) => isIn[i])
      .map(async ({ share, updateDigest, worker }) => ({
        share,
        update: await ports.fetch(updateDigest, RAW, view.sources(view.directory.urlOf(worker))),
      })),
  )
  return { convicted, isIn, updates }
}

/**
 * The round's result: the next state from all claims that take part, what everybody has earned by now, and the report that says why.
 *
 * @throws PotluckError VIEW_BEHIND when the proposal names convictions that this node has not seen yet
 */
export async function conclude(view: JobView, assessment: Assessment): Promise<NonNullable<Assessment['result']>> {
  const { job, round, status, ports } = view
  const { claims, hashes, draws, sharePay } = assessment
  const convictions = convictionsNow(view)
  const { convicted, isIn, updates } = await updatesInPart(view, assessment, convictions)
  const { state, weightsPpm, run, measured } = await view.program.aggregate({
    state: await view.baseState(),
    round,
    beacon: status.beacon,
    updates,
  })
  const leaves = payoutsAfter(
    assessment.paidBefore,
    claims.map(({ worker }, i) => ({ worker, accepted: isIn[i] as boolean })),
    sharePay,
  )
  const contributions = measured && reportContributions(measured, isRecomputed(draws, isIn))
  let place = 0
  const entries = claims.map(({ worker, share }, i) => {
    const { ratePpm, auditor } = draws[i] as AuditDraw
    const weightPpm = isIn[i] ? (weightsPpm[place] ?? 0) : 0
    const contribution = isIn[i] ? contributions?.[place] : undefined
    if (isIn[i]) place++
    return {
      hash: hashes[i] as Hex,
      worker,
      share,
      ratePpm,
      auditor,
      outcome: outcomeOf(isIn[i] as boolean, convicted.has(worker), auditor !== null),
      weightPpm,
      pay: isIn[i] ? sharePay : 0n,
      ...(contribution && { contribution }),
    }
  })
  const documents = resultDocuments({
    job,
    round,
    beacon: status.beacon,
    leaves,
    claims: entries,
    stateDigest: toHex(sha256(state)),
    stateRoot: toHex(merkleRootOfBytes(state)),
    run,
    convictions,
  })
  await ports.store.put(state, RAW)
  await ports.store.put(documents.payout, DAG_CBOR)
  await ports.store.put(documents.report, DAG_CBOR)
  return { ...documents, hash: proposalHash(job, round, documents.proposal), state, convictions }
}

/** Of the claims that take part which were drawn: a result is made once all of those are found right. */
const isRecomputed = (draws: readonly AuditDraw[], isIn: readonly boolean[]): boolean[] =>
  draws.filter((_, i) => isIn[i]).map(({ auditor }) => auditor !== null)

function outcomeOf(isIn: boolean, isConvicted: boolean, isDrawn: boolean): AuditReport['claims'][number]['outcome'] {
  if (isIn) return isDrawn ? 'matches' : 'not-drawn'
  if (isConvicted) return isDrawn ? 'wrong' : 'expelled'
  return 'left-out'
}
