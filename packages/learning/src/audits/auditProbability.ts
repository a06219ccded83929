import { PotluckError } from '@potluck/protocol'

/** Probabilities in parts per million, money in the smallest unit of the job's token; integers are equal everywhere (L-17). */
export type AuditTerms = {
  /** What the worker is paid for the work if nobody objects. */
  readonly reward: bigint
  /** What it gains by cheating: at most its cost for laziness, the outside benefit for sabotage. */
  readonly gain: bigint
  /** The part of the slash that is destroyed. What goes to others may go to the cheat's own friends and deters nobody. */
  readonly burnedStake: bigint
  /** Share of auditors that would cover for the worker. */
  readonly colludingSharePpm: number
  /** Auditors drawn for one audit. */
  readonly auditors: number
  /** Chance that an honest audit finds the fault. Exact recomputation: 1,000,000. */
  readonly detectionPpm?: number
  /** Chance that honest work is slashed after an audit. Exact recomputation: 0. */
  readonly falsePositivePpm?: number
}

export type AuditPolicy = { readonly marginPpm?: number; readonly floorPpm?: number; readonly isNew: boolean }

const million = 1_000_000n

/**
 * The audit rate from which cheating does not pay, in parts per million, rounded up; more than 1,000,000 means that even
 * auditing everything is not enough, undefined that no rate is.
 *
 *   p > gain / (d (1 - r^a) (R + S) - phi S)
 *
 * @param marginPpm multiplies the result; 1,000,000 is the bare bound
 * @throws PotluckError BAD_AUDIT_TERMS for negative money, a share outside 0 to 1,000,000, or not 1 to 64 auditors
 */
export function deterringPpm(terms: AuditTerms, marginPpm = 1_000_000): bigint | undefined {
  const { reward, gain, burnedStake, auditors } = terms
  const share = ppm('colludingSharePpm', terms.colludingSharePpm)
  const detection = ppm('detectionPpm', terms.detectionPpm ?? 1_000_000)
  const falsePositive = ppm('falsePositivePpm', terms.falsePositivePpm ?? 0)
  if (reward < 0n || gain < 0n || burnedStake < 0n) {
    throw badTerms(`reward ${reward}, gain ${gain} and burned stake ${burnedStake} must not be negative`)
  }
  if (!Number.isInteger(auditors) || auditors < 1 || auditors > 64) {
    throw badTerms(`expected 1 to 64 auditors, got ${auditors}`)
  }
  if (!Number.isInteger(marginPpm) || marginPpm < 1_000_000) {
    throw badTerms(`expected a margin of at least 1,000,000 parts per million, got ${marginPpm}`)
  }
  if (gain === 0n) return 0n
  // All shares over the common denominator million^(auditors + 1), so that only one division is left.
  let all = 1n
  let colluding = 1n
  for (let i = 0; i < auditors; i++) {
    all *= million
    colluding *= share
  }
  const loss = detection * (all - colluding) * (reward + burnedStake) - falsePositive * all * burnedStake
  if (loss <= 0n) return undefined
  const top = gain * all * million * BigInt(marginPpm)
  return (top + loss - 1n) / loss
}

/**
 * The rate at which a job's work is audited, in parts per million: the deterring rate times the margin (default 1.5), at least
 * the floor (default 5 %), twice that for a new identity, at most everything.
 *
 * A cap that bites does not deter: whoever sets up a job compares `deterringPpm` with 1,000,000 first (L-16).
 */
export function auditProbability(terms: AuditTerms, policy: AuditPolicy): number {
  const needed = deterringPpm(terms, policy.marginPpm ?? 1_500_000)
  const floor = ppm('floorPpm', policy.floorPpm ?? 50_000)
  if (needed === undefined) return Number(million)
  const base = needed > floor ? needed : floor
  const rate = policy.isNew ? 2n * base : base
  return Number(rate > million ? million : rate)
}

function ppm(name: string, value: number): bigint {
  if (!Number.isInteger(value) || value < 0 || value > 1_000_000) {
    throw badTerms(`${name} must be a whole number from 0 to 1,000,000 parts per million, got ${value}`)
  }
  return BigInt(value)
}

const badTerms = (problem: string): PotluckError => new PotluckError('BAD_AUDIT_TERMS', problem)
