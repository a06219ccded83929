/** What a worker's updates took off the loss, as the validators measured it, in words for its owner (R-38). */
import { z } from 'zod'
import { count, hex } from '../database/columns.ts'
import { rows } from '../database/rows.ts'
import { percent } from '../money/Money.ts'
import { type Refs, type Step, short, step } from './Step.ts'
import type { Teller } from './Teller.ts'

/** The columns of a claim that say what it contributed; null in rounds that measured nothing. */
export const contributionColumns = {
  valueMicro: count.nullable(),
  countedMicro: count.nullable(),
  finding: z.enum(['copy', 'alike', 'empty']).nullable(),
  likeShare: count.nullable(),
  likeWorker: hex.nullable(),
}
const measured = z.object(contributionColumns)
type Measured = z.output<typeof measured>

/** What one claim took off the loss; undefined where that was not measured. */
export function contributionStep(id: string, claim: Measured, refs: Refs): Step | undefined {
  const { valueMicro, countedMicro, finding } = claim
  if (valueMicro === null || countedMicro === null) return undefined
  const kind = finding === null ? 'contribution' : `contribution-${finding}`
  const words = [
    `On text drawn for the round its update ${tookOff(valueMicro)}.`,
    countedWords(valueMicro, countedMicro),
    ...(finding === null ? [] : [findingWords(finding, claim)]),
  ]
  return step({ id: `${id}/contribution`, kind, text: words.join(' '), refs })
}

const tookOff = (micro: number): string =>
  micro < 0 ? `added ${nats(-micro)} nats to the loss` : `took ${nats(micro)} nats off the loss`

function countedWords(value: number, counted: number): string {
  if (counted === value) return 'All of it counts for its score.'
  return counted === 0 ? 'None of it counts for its score.' : `Of it ${nats(counted)} counts, the most in this round.`
}

function findingWords(finding: NonNullable<Measured['finding']>, { likeShare, likeWorker }: Measured): string {
  if (finding === 'empty') return 'It is taken for idle: the update is next to nothing.'
  const other = `that of share ${likeShare}${likeWorker ? ` by ${short(likeWorker)}` : ''}`
  return finding === 'copy'
    ? `It is taken for a copy: it is more like ${other} than updates of one's own batches are, and that one was recomputed and is right.`
    : `It is more like ${other} than updates of one's own batches are; neither was recomputed, so it is open whether one is a copy.`
}

const standing = z.object({ node: hex, rounds: count, valueMicro: count, countedMicro: count })

/**
 * Where a worker stands by its contributions: over the final rounds up to `until`, or over all of them. Scores are sums of what counted,
 * cut at 0 (L-61). Undefined where nothing of it was measured.
 */
export async function standingStep(
  teller: Teller,
  job: number,
  worker: string,
  until: number | null = null,
): Promise<Step | undefined> {
  const all = await rows(
    teller.database,
    standing,
    `SELECT COALESCE((SELECT k.node FROM node_changes k WHERE k.key = c.worker LIMIT 1), c.worker) AS node,
      count(DISTINCT c.round) AS rounds, sum(c.value_micro) AS "valueMicro", sum(c.counted_micro) AS "countedMicro"
      FROM claims c JOIN rounds r ON r.report = c.report AND r.job = c.job AND r.round = c.round
      WHERE c.job = $1 AND c.value_micro IS NOT NULL AND ($2::bigint IS NULL OR c.round <= $2) GROUP BY 1 ORDER BY 1`,
    [job, until],
  )
  const own = all.find(({ node }) => node === worker)
  if (own === undefined) return undefined
  const scoreOf = ({ countedMicro }: { countedMicro: number }): number => Math.max(0, countedMicro)
  const score = scoreOf(own)
  const total = all.reduce((sum, one) => sum + scoreOf(one), 0)
  const place = 1 + all.filter((one) => scoreOf(one) > score).length
  // To a hundredth of a percent.
  const sharePpm = total > 0 ? 100 * Math.round((1e4 * score) / total) : 0
  const rounds = own.rounds === 1 ? '1 round' : `${own.rounds} rounds`
  const text = [
    `Over ${rounds} so far its updates ${tookOff(own.valueMicro)}.`,
    own.countedMicro < 0
      ? 'Together they made the model worse, so its score is 0'
      : `Its score, what counts of that, is ${nats(score)}`,
  ].join(' ')
  return step({
    id: `score/${job}/${worker}${until === null ? '' : `/${until}`}`,
    kind: 'score',
    text: `${text}: ${percent(sharePpm)} of all scores, place ${place} of ${all.length}. No pay follows from scores: the job pays every accepted claim the same.`,
    refs: { job, account: worker as `0x${string}`, ...(until === null ? {} : { round: until }) },
  })
}

/** Of millionths, with four digits. */
const nats = (micro: number): string => Number((micro / 1e6).toPrecision(4)).toString()
