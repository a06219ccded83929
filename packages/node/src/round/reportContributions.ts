import { type MeasuredUpdate, type RoundFlag, scoreContributions } from '@potluck/learning'
import { type Contribution, MOST_MICRO } from '@potluck/protocol'

/**
 * What the report says of each update's contribution (P-58): as measured, and what counts of it in this round (L-61).
 *
 * An update that is too much like another is a copy where the other was recomputed and it was not: batches depend on the worker, so
 * both cannot be right. Where both were recomputed and are right it is chance; where neither was nobody can say, and it counts.
 *
 * @param isRecomputed in the order of `measured`
 */
export function reportContributions(
  measured: readonly MeasuredUpdate[],
  isRecomputed: readonly boolean[],
): Contribution[] {
  const rightShares = new Set(measured.filter((_, i) => isRecomputed[i]).map(({ share }) => share))
  const findings = measured.map(({ share, alike, isEmpty }): Contribution['finding'] => {
    if (isEmpty) return { kind: 'empty' }
    if (alike === undefined || rightShares.has(share)) return null
    return { kind: rightShares.has(alike) ? 'copy' : 'alike', share: alike }
  })
  const members = measured.map((_, i) => i)
  const values = measured.map(({ value }) => value)
  const scores = scoreContributions([{ round: 1, members, values }], measured.length, (_, i) => flagOf(findings[i]))
  return scores.map(({ rounds }, i) => ({
    valueMicro: microOf(values[i]!),
    countedMicro: microOf(rounds[0]!.counted),
    finding: findings[i]!,
  }))
}

function flagOf(finding: Contribution['finding'] | undefined): RoundFlag | undefined {
  if (finding?.kind === 'copy') return { kind: 'copy', of: finding.share }
  return finding?.kind === 'empty' ? { kind: 'empty' } : undefined
}

/** Millionths, to the nearest; never −0, which has other bytes than 0. */
const microOf = (nats: number): number => Math.max(-MOST_MICRO, Math.min(MOST_MICRO, Math.round(nats * 1e6))) + 0
