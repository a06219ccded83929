import type { ContributionScore, RoundFlag, ScoredRound } from './scoreContributions.ts'

/** What a participant is told about its score: numbers for a program, sentences for a person. */
export type ScoreExplanation = {
  readonly participant: number
  readonly score: number
  readonly share: number
  readonly rounds: readonly (ScoredRound & { readonly words: string })[]
  /** The whole in a few sentences. */
  readonly words: readonly string[]
}

const reasons: Record<RoundFlag['kind'], string> = {
  copy: 'it is a copy',
  replay: 'it was known before the round',
  empty: 'it holds nothing',
  notOwnData: 'it does not fit the batches that were yours to train on',
}

/** Says of each round what was measured, what counted and why, in words that stand alone (L-63). Numbers keep four digits. */
export function explainScore(score: ContributionScore): ScoreExplanation {
  const { participant, share, rounds } = score
  const sum = (pick: (round: ScoredRound) => number): number => rounds.reduce((total, round) => total + pick(round), 0)
  const flagged = rounds.filter(({ flag }) => flag)
  const capped = rounds.filter(({ flag, value, cap }) => !flag && value > cap)
  const counted = sum((round) => round.counted)
  const words = [
    `In ${rounds.length} rounds your updates took ${short(sum((round) => round.value))} off the loss on the validation rows; ${short(counted)} of it counts.`,
    ...(capped.length > 0 ? [`${capped.length} of the rounds were cut to their cap.`] : []),
    ...(flagged.length > 0 ? [`${flagged.length} earned nothing because of what was sent.`] : []),
    ...(counted < 0 ? ['Together they made the model worse, so the score is 0.'] : []),
    `Your share of all scores is ${percent(share)}.`,
  ]
  return { participant, score: score.score, share, rounds: rounds.map(withWords), words }
}

function withWords(round: ScoredRound): ScoredRound & { readonly words: string } {
  const { value, cap, counted, flag } = round
  const measured =
    value < 0
      ? `Round ${round.round}: your update added ${short(-value)} to the loss`
      : `Round ${round.round}: your update took ${short(value)} off the loss`
  if (flag) {
    const whose = flag.kind === 'copy' ? ` of participant ${flag.of}'s` : ''
    return { ...round, words: `${measured}; ${short(counted)} counts, for ${reasons[flag.kind]}${whose}.` }
  }
  if (value > cap) return { ...round, words: `${measured}; ${short(counted)} counts, the most in this round.` }
  return { ...round, words: `${measured}, and all of it counts.` }
}

const short = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(4)).toString())
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
