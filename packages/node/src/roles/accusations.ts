/** What a validator does about claims that it recomputed before the referee: shows wrong ones wrong, stands in for right ones. */
import type { Claim, Hex } from '@potluck/protocol'
import { claimArgument, createAccuser, createChampion } from '@potluck/referee'
import type { JobView } from '../JobView.ts'
import { taskSeed } from '../round/taskSeed.ts'
import { Pursuits } from './Pursuits.ts'
import { refereeOf } from './refereeOf.ts'

/** Between validators that would all challenge one claim, when its auditor does not. */
const STEP_MS = 5_000

export type Audited = {
  claim: Claim
  subject: Hex
  /** The state roots that came with the claim. */
  states: readonly Hex[] | undefined
  /** Whether the beacon drew this validator for the claim. */
  isMine: boolean
  matches: boolean
}

/** Whether claims of this job are judged by the referee rather than by a vote. */
export function isRefereed(view: JobView): boolean {
  const { referee } = view.ports.chain.deployment.contracts
  return view.program.exact !== undefined && view.terms.judge.toLowerCase() === referee
}

export function createAccusations(): { pursue(view: JobView, place: number, audited: Audited): Promise<boolean> } {
  const pursuits = new Pursuits()
  const seenMs = new Map<Hex, number>()

  async function caseOf(view: JobView, { claim }: Audited) {
    const { job, round, program, document } = view
    if (!program.exact || document.kind !== 'language') return undefined
    const seed = taskSeed(document.seed, round, claim.share, claim.worker)
    const truth = program.exact.truthOf({ state: await view.baseState(), seed })
    return {
      chain: refereeOf(view),
      job: program.exact.job,
      jobId: job,
      round,
      claim: claimArgument(claim),
      seed,
      truth,
    }
  }

  return {
    /** Does what is due about one claim; true once it is judged wrong. */
    async pursue(view, place, audited) {
      const { subject, matches, isMine, states } = audited
      const dispute = view.facts.disputes.get(subject)
      if (dispute?.isWrong) return true
      const open = [...(dispute?.open.values() ?? [])]
      if (matches) {
        // The worker comes first; whoever checked its work steps in when it is silent for a while.
        if (open.length > 0 && isPatienceOver(view, subject, place))
          pursuits.pursue(view, subject, 'stands in for a claim', async () => {
            const given = await caseOf(view, audited)
            return given && createChampion(given)
          })
        return false
      }
      const isOurs = open.includes(view.identity.node)
      const isLeftToOthers = !isMine && (open.length > 0 || !isPatienceOver(view, subject, place))
      if (!isOurs && isLeftToOthers) return false
      pursuits.pursue(view, subject, 'disputes a claim', async () => {
        const given = await caseOf(view, audited)
        return given && createAccuser({ ...given, baseRoot: view.baseRoot, ...(states && { nodes: states }) })
      })
      return false
    },
  }

  /** One step more for each validator behind the first. */
  function isPatienceOver(view: JobView, subject: Hex, place: number): boolean {
    const since = seenMs.get(subject) ?? view.nowMs
    seenMs.set(subject, since)
    return view.nowMs - since > (place + 1) * STEP_MS
  }
}
