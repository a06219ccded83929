import { type Claim, fromHex, type Hex, merkleRootOfNodes, toHex } from '@potluck/protocol'

/** `ignore`: not usable, perhaps not the sender's fault. `reject`: the sender broke a rule. */
export type Verdict = { ok: true } | { ok: false; action: 'ignore' | 'reject'; rule: string; reason: string }

export type ClaimContext = {
  job: number
  round: number
  /** Root of the state that the round starts from. */
  baseRoot: Hex
  shares: number
  workers: readonly Hex[]
  expelled: ReadonlySet<Hex>
  /** What this worker committed to for this share, if we saw it in time. */
  commit: Hex | undefined
  /** Hash that the opened claim gives. */
  opened: Hex
  /** Digests of updates that earlier commits of this round opened to, with their workers. */
  known: ReadonlyMap<Hex, Hex>
  units: number
  /** State roots that came with the claim, and how many a share of this job has. */
  states: readonly Hex[]
  stateCount: number
  /** Why the worker may not work on the job's data, by where it says it is. */
  refusedData?: string | undefined
  /** Private jobs hand in one transcript by all members: equal updates are no copies there. */
  copiesAllowed: boolean
}

const no = (action: 'ignore' | 'reject', rule: string, reason: string): Verdict => ({ ok: false, action, rule, reason })

/** Whether an opened claim may enter the round's set. Cheapest checks first; the update itself is checked after this. */
export function checkClaim(claim: Claim, context: ClaimContext): Verdict {
  if (!context.workers.includes(claim.worker))
    return no('reject', 'P-44', `${claim.worker} is not enrolled in job ${context.job}`)
  if (context.expelled.has(claim.worker))
    return no('reject', 'P-44', `${claim.worker} was expelled from job ${context.job}`)
  // Its hello may only not have come yet.
  if (context.refusedData !== undefined) return no('ignore', 'P-55', context.refusedData)
  if (claim.share >= context.shares) return no('reject', 'P-44', `share ${claim.share} of ${context.shares}`)
  // One round behind or ahead may only mean that somebody's view of the chain is late.
  if (claim.baseRoot !== context.baseRoot)
    return no('ignore', 'P-44', `starts from ${claim.baseRoot}, the round from ${context.baseRoot}`)
  if (claim.units !== context.units)
    return no('reject', 'P-44', `${claim.units} units claimed, a share has ${context.units}`)
  const { states, stateCount } = context
  if (states.length !== stateCount)
    return no('reject', 'P-44', `${states.length} state roots shown, a share has ${stateCount}`)
  if (stateCount > 0 && toHex(merkleRootOfNodes(states.map(fromHex))) !== claim.statesRoot)
    return no('reject', 'P-44', 'the state roots shown are not those claimed')
  if (context.commit === undefined)
    return no('ignore', 'P-43', `no commit of ${claim.worker} for share ${claim.share} was seen before publication`)
  if (context.commit !== context.opened)
    return no('reject', 'P-43', `opens to ${context.opened}, committed was ${context.commit}`)
  const author = context.known.get(claim.updateDigest)
  if (!context.copiesAllowed && author !== undefined && author !== claim.worker) {
    return no('reject', 'P-45', `same update as ${author}: a copy`)
  }
  return { ok: true }
}
