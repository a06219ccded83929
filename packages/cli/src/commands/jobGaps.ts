import type { Hex } from '@potluck/protocol'
import type { JobTerms } from '../actions/createJob.ts'
import { memberGaps, type ROLES } from './memberGaps.ts'
import { purposeBits, purposesOfBits } from './purposes.ts'

/** A registered node, as the chain and its own word have it. */
export type Candidate = {
  node: Hex
  roles: number
  freeBond: bigint
  /** Whether it lets the contract of jobs lock its bond. */
  isWilling: boolean
  region?: string | undefined
}

/** A version that the job names; `isThere` is false when there is none of that number. */
export type Dataset = {
  version: number
  isThere: boolean
  granted: number
  minSharePpm: number
  price: bigint
  priceToken: Hex
  owner: Hex
  residency?: readonly string[] | undefined
}

export type JobFill = {
  kind: 'language' | 'tabular'
  terms: Pick<JobTerms, 'token' | 'purpose' | 'modelPurposes' | 'dataVersions' | 'parentShares' | 'contributorsShare'> &
    Pick<JobTerms, 'payPerRound' | 'rounds' | (typeof ROLES)[number]['bond'] | (typeof ROLES)[number]['least']>
  datasets: readonly Dataset[]
  candidates: readonly Candidate[]
  /** What the builder holds of the token that it pays in. */
  balance: bigint
}

export type Gaps = {
  /** What the contract would refuse. */
  terms: string[]
  /** What nodes are missing now; more may come. */
  members: string[]
}

/** Why a job cannot run as things stand, each with what would fill the gap. Money as `show` writes it. */
export function jobGaps(job: JobFill, show: { money(units: bigint): string; salt(wei: bigint): string }): Gaps {
  return { terms: [...dataGaps(job, show.money), ...fundGaps(job, show.money)], members: memberGaps(job, show.salt) }
}

function dataGaps({ terms, datasets }: JobFill, money: (units: bigint) => string): string[] {
  const gaps: string[] = []
  if (datasets.length > 0 && (terms.purpose & purposeBits.TRAIN) === 0)
    gaps.push('purposes: TRAIN is missing, no node works without it: add it')
  const asked = terms.purpose | terms.modelPurposes | purposeBits.DERIVE
  for (const [i, one] of datasets.entries()) {
    const { version, granted, minSharePpm } = one
    if (!one.isThere) {
      gaps.push(`data: there is no version ${version}: \`potluck asset list\` shows those there are`)
      continue
    }
    const refused = asked & ~granted
    if (refused !== 0)
      gaps.push(
        `data: version ${version} does not grant ${purposesOfBits(refused)}: ask its owner for a version that does, or take it out of purposes and result.purposes (DERIVE is always needed)`,
      )
    const share = terms.parentShares[i] ?? 0
    if (share < minSharePpm)
      gaps.push(
        `data: version ${version} asks for ${minSharePpm} ppm of the model's income, the job gives ${share}: raise its sharePpm`,
      )
    if (one.price > 0n && one.priceToken.toLowerCase() !== terms.token.toLowerCase())
      gaps.push(
        `data: training on version ${version} costs ${money(one.price)} in token ${one.priceToken}: pay the job in it`,
      )
  }
  const given = terms.parentShares.reduce((sum, share) => sum + share, terms.contributorsShare)
  if (given > 1_000_000)
    gaps.push(`contributorsSharePpm: with the shares of the data it makes ${given} of 1000000 ppm: lower one of them`)
  return gaps
}

function fundGaps({ terms, datasets, balance }: JobFill, money: (units: bigint) => string): string[] {
  const prices = datasets.reduce((sum, { price }) => sum + price, 0n)
  const cost = terms.payPerRound * BigInt(terms.rounds) + prices
  if (balance >= cost) return []
  const parts = `${terms.rounds} times ${money(terms.payPerRound)}${prices > 0n ? ` and ${money(prices)} for the data` : ''}`
  return [
    `payPerRound: the job costs ${money(cost)} (${parts}), the builder has ${money(balance)}: send it ${money(cost - balance)} more`,
  ]
}
