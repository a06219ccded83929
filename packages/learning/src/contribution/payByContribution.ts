import { PotluckError } from '@potluck/protocol'

/** Scores become whole numbers of this many parts of the largest: finer than an f64 quotient is none. */
const PARTS = 1n << 52n

/**
 * Divides a pot by scores (L-62), in integers: each gets its part rounded down, and what is left goes by single units to the largest
 * remainders, of equal ones to the lower number. The payments are together the pot, to the unit; when all scores are 0 nothing is paid.
 *
 * @param scores finite and not negative
 * @param pot    in the smallest unit of the token
 * @throws PotluckError BAD_CONTRIBUTION
 */
export function payByContribution(
  scores: readonly number[],
  pot: bigint,
): { readonly paid: readonly bigint[] /** What nobody earned. */; readonly left: bigint } {
  if (pot < 0n) throw new PotluckError('BAD_CONTRIBUTION', `a pot is not negative, got ${pot}`)
  const bad = scores.findIndex((score) => !Number.isFinite(score) || score < 0)
  if (bad >= 0) {
    throw new PotluckError('BAD_CONTRIBUTION', `score ${bad} is ${scores[bad]}, expected a finite number of at least 0`)
  }
  const largest = scores.reduce((most, score) => Math.max(most, score), 0)
  if (largest === 0) return { paid: scores.map(() => 0n), left: pot }
  const units = scores.map((score) => BigInt(Math.floor((score / largest) * Number(PARTS))))
  const total = units.reduce((sum, unit) => sum + unit, 0n)
  const paid = units.map((unit) => (pot * unit) / total)
  const remainders = units.map((unit, i) => ({ i, remainder: (pot * unit) % total }))
  const first = remainders.toSorted((a, b) =>
    a.remainder < b.remainder ? 1 : a.remainder > b.remainder ? -1 : a.i - b.i,
  )
  const open = pot - paid.reduce((sum, amount) => sum + amount, 0n)
  for (let k = 0; BigInt(k) < open; k++) paid[first[k]!.i]! += 1n
  return { paid, left: 0n }
}
