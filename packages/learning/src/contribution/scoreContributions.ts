import { PotluckError } from '@potluck/protocol'
import type { RoundContribution } from './roundContribution.ts'

/** Why a member earns nothing in a round. */
export type RoundFlag =
  | { readonly kind: 'copy'; readonly of: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'notOwnData' }

export type ScorePolicy = {
  /** A member's value in one round counts at most so many times the lower median of the positive ones. Default 3. */
  readonly capMedians?: number
}

/** One round in the account of one participant. */
export type ScoredRound = {
  readonly round: number
  /** As measured. */
  readonly value: number
  /** The most that counts in this round. */
  readonly cap: number
  readonly flag: RoundFlag | undefined
  /** What was counted: at most the cap; of a flagged round nothing that is positive. */
  readonly counted: number
}

export type ContributionScore = {
  readonly participant: number
  /** The counted values of all rounds together, or 0 where that is less. */
  readonly score: number
  /** Part of all scores together: 0 to 1. */
  readonly share: number
  readonly rounds: readonly ScoredRound[]
}

/**
 * Scores over a run (L-61): values are capped round by round, so that no single round makes a fortune, added up with their signs, so that
 * luck in one round pays for bad luck in another, and only then cut at 0.
 *
 * @param flags of a round and participant; see `copyFlags`, `replayFlags`, `emptyFlags`
 * @throws PotluckError BAD_CONTRIBUTION for a value that is not finite, a participant out of range or a cap below 1
 *
 * Order: f64 sums over rounds as given.
 */
export function scoreContributions(
  rounds: readonly RoundContribution[],
  participants: number,
  flags: (round: number, participant: number) => RoundFlag | undefined = () => undefined,
  { capMedians = 3 }: ScorePolicy = {},
): ContributionScore[] {
  if (!(capMedians >= 1)) refuse(`capMedians must be at least 1, got ${capMedians}`)
  const accounts = Array.from({ length: participants }, (): ScoredRound[] => [])
  for (const { round, members, values } of rounds) {
    const cap = capMedians * medianOfPositive(values)
    members.forEach((member, i) => {
      const value = values[i]
      if (value === undefined || !Number.isFinite(value)) {
        refuse(`the value of participant ${member} in round ${round} is ${value}, expected a finite number`)
      }
      const account = accounts[member] ?? refuse(`participant ${member} is none of the ${participants}`)
      const flag = flags(round, member)
      const capped = Math.min(value, cap)
      account.push({ round, value, cap, flag, counted: flag ? Math.min(capped, 0) : capped })
    })
  }
  const scores = accounts.map((account) =>
    Math.max(
      0,
      account.reduce((sum, { counted }) => sum + counted, 0),
    ),
  )
  const total = scores.reduce((sum, score) => sum + score, 0)
  return scores.map((score, participant) => ({
    ...{ participant, score, share: total > 0 ? score / total : 0 },
    rounds: accounts[participant]!,
  }))
}

function medianOfPositive(values: readonly number[]): number {
  const positive = values.filter((value) => value > 0).toSorted((a, b) => a - b)
  return positive[(positive.length - 1) >> 1] ?? 0
}

function refuse(message: string): never {
  throw new PotluckError('BAD_CONTRIBUTION', message)
}
