/**
 * What a validator does about the result that is proposed, in jobs that a referee judges: shows a wrong one wrong by the means
 * that fits, stands in for a right one (D-22 … D-25).
 */
import {
  type AuditReport,
  auditReport,
  claimLeafHash,
  type Hex,
  type Proposal,
  proposalHash,
  sha256,
  toHex,
} from '@potluck/protocol'
import { type Case, claimArgument, createAccuser, createChampion, headerOf, resultClaim } from '@potluck/referee'
import { DAG_CBOR } from '@potluck/store'
import { decodeDocument } from '../decodeDocument.ts'
import type { JobView } from '../JobView.ts'
import { referenceSeed } from '../round/taskSeed.ts'
import { type Assessment, updatesInPart } from './assessment.ts'
import { Pursuits } from './Pursuits.ts'
import { refereeOf } from './refereeOf.ts'

/** Between validators that would all stand in for one result; the clock of a challenge is many times that. */
const STEP_MS = 2_500
const NO_REPORT: Hex = `0x${'00'.repeat(32)}`

type Result = NonNullable<Assessment['result']>
/** `open`: right, but a challenge of it is not decided yet; `unsure`: its report is not to be had yet; `objected`: wrong, not judged yet. */
export type Standing = 'right' | 'open' | 'unsure' | 'objected' | 'wrong'

export function createObjections(vote: (view: JobView, subject: Hex, found: Hex) => Promise<boolean>): {
  /** Does what is due about the proposal of now, given one's own result by the same convictions. */
  pursue(view: JobView, place: number, current: Assessment, own: Result): Promise<Standing>
} {
  const pursuits = new Pursuits()
  const goodReports = new Set<Hex>()

  async function caseOf(view: JobView, { claims }: Assessment): Promise<Case | undefined> {
    const { job, round, status, program } = view
    if (!program.exact) return undefined
    const { updates } = await updatesInPart(view, { claims }, status.proposal.convictions)
    const task = { state: await view.baseState(), round, beacon: status.beacon, updates }
    return {
      ...{ chain: refereeOf(view), job: program.exact.job, jobId: job, round, claim: resultOf(view) },
      seed: referenceSeed(status.beacon, round),
      truth: program.exact.resultOf(task),
      claims: claims.map(claimArgument),
    }
  }

  /** The report that the proposal names; undefined where nobody has it. */
  async function reportOf(view: JobView): Promise<AuditReport | undefined> {
    try {
      const bytes = await view.ports.fetch(view.status.proposal.auditRoot, DAG_CBOR, view.sources())
      return decodeDocument(auditReport, bytes)
    } catch (error) {
      view.ports.log('debug', 'no report behind the proposal', { job: view.job, why: String(error) })
      return undefined
    }
  }

  /**
   * Whether later rounds find the payout list through the report, and workers what they contributed (P-58). Who audited what may be told
   * differently: nothing hangs on it.
   */
  async function isReportGood(view: JobView, own: Result): Promise<boolean> {
    const { auditRoot } = view.status.proposal
    if (auditRoot === own.proposal.auditRoot || goodReports.has(auditRoot)) return true
    const report = await reportOf(view)
    const isGood =
      report?.job === view.job &&
      report.round === view.round &&
      report.payout === toHex(sha256(own.payout)) &&
      contributionsOf(report) === contributionsOf(decodeDocument(auditReport, own.report))
    if (isGood) goodReports.add(auditRoot)
    return isGood
  }

  async function strikePayouts(view: JobView, { claims, paidBefore }: Assessment): Promise<void> {
    const { job, round, program } = view
    if (!program.exact) return
    const given = { jobId: job, round, ...headerOf(program.exact.job), before: paidBefore }
    await view.act('strike payouts', () =>
      refereeOf(view).strikePayouts({ ...given, claims: claims.map(claimArgument) }),
    )
  }

  /** Votes for the same result with the right digests; strikes once two thirds did. */
  async function strikeDigests(view: JobView, found: Proposal): Promise<void> {
    const { job, round, status } = view
    if (!(await vote(view, status.proposalHash, proposalHash(job, round, found)))) return
    await view.act('strike digests', () => refereeOf(view).strikeDigests({ jobId: job, round, found }))
  }

  return {
    async pursue(view, place, current, own) {
      const { status, facts, identity, terms } = view
      const { proposal } = status
      const subject = claimLeafHash(view.job, view.round, { ...resultOf(view), units: 0 })
      const dispute = facts.disputes.get(subject)
      if (dispute?.isWrong) return 'wrong'
      const open = [...(dispute?.open.values() ?? [])]
      const elapsedMs = view.nowMs - 1000 * Number(status.proposedAt)
      // One after the other, but all of them in the first half of the time there is.
      const isDue = elapsedMs > (500 * terms.challengeSeconds * place) / facts.validators.length
      if (proposal.stateRoot !== own.proposal.stateRoot || proposal.runRoot !== own.proposal.runRoot) {
        if (open.includes(identity.node) || (open.length === 0 && isDue))
          pursuits.pursue(view, subject, 'disputes a result', async () => {
            const given = await caseOf(view, current)
            const nodes = (await reportOf(view))?.run
            return given && createAccuser({ ...given, baseRoot: view.baseRoot, ...(nodes && { nodes }) })
          })
        return 'objected'
      }
      if (proposal.payoutRoot !== own.proposal.payoutRoot || proposal.payoutTotal !== own.proposal.payoutTotal) {
        if (isDue) await strikePayouts(view, current)
        return 'objected'
      }
      const hasReport = await isReportGood(view, own)
      if (proposal.stateDigest !== own.proposal.stateDigest || !hasReport) {
        // A report may still be on its way: half of the time to object is its.
        const isLate = elapsedMs > 500 * terms.challengeSeconds
        const auditRoot = hasReport ? proposal.auditRoot : NO_REPORT
        if (!hasReport && !isLate) return 'unsure'
        await strikeDigests(view, { ...proposal, stateDigest: own.proposal.stateDigest, auditRoot })
        return 'objected'
      }
      if (open.length === 0) return 'right'
      // The proposer comes first; the others stand in for it when it is silent.
      if (status.proposer.toLowerCase() === identity.node || elapsedMs > (place + 1) * STEP_MS)
        pursuits.pursue(view, subject, 'stands up for a result', async () => {
          const given = await caseOf(view, current)
          return given && createChampion(given)
        })
      return 'open'
    },
  }
}

/** By claim, in a form to compare: the schema gives the fields their order. */
const contributionsOf = ({ claims }: AuditReport): string =>
  JSON.stringify(claims.flatMap(({ hash, contribution }) => (contribution ? [[hash, contribution]] : [])))

/** The proposal of now in the form in which it is judged (D-23). */
function resultOf({ status, baseRoot }: JobView) {
  const { stateRoot, runRoot } = status.proposal
  return resultClaim({ proposer: status.proposer.toLowerCase() as Hex, baseRoot, stateRoot, runRoot })
}
