import { formatAmount } from '../commands/amounts.ts'
import { barChart, legend } from '../federated/report/barCharts.ts'
import { type ContributionWords, contributionFigures } from '../federated/report/clientFigures.ts'
import { lineChart } from '../federated/report/lineChart.ts'
import { figure, percent, shortNumber, wireSize } from '../federated/report/markup.ts'
import type { JobFacts, JobRound } from './JobHistory.ts'

const workers: ContributionWords = { one: 'worker', marked: 'convicted worker', isPaidByScore: false }

/** Loss on the validation text after each round, the start included. */
export function lossFigure({ rounds, before }: JobFacts): string {
  const measured = [
    ...(before ? [{ round: 0, loss: before.loss, accuracy: before.accuracy }] : []),
    ...rounds.flatMap(({ round, valid }) => (valid ? [{ round, ...valid }] : [])),
  ]
  if (measured.length === 0) return ''
  const last = measured.at(-1)!
  const lowest = measured.reduce((best, one) => (one.loss < best.loss ? one : best))
  return figure({
    title: 'Loss',
    says: `On the whole validation text, which nobody trains on: ${shortNumber(last.loss)} after round ${last.round}, lowest after round ${lowest.round}. Round 0 is the model before any training; each was computed here from the state whose digest stands on chain.`,
    svg: lineChart({
      label: `Validation loss over ${rounds.length} rounds, ${shortNumber(last.loss)} in the end`,
      xName: 'round',
      yName: 'loss',
      series: [{ name: 'validation', points: measured.map(({ round, loss }) => [round, loss] as const), colour: 1 }],
    }),
    table: {
      head: ['round', 'loss', 'characters right'],
      rows: measured.map(({ round, loss, accuracy }) => [
        String(round),
        loss.toFixed(4),
        accuracy === null ? '' : percent(accuracy),
      ]),
    },
  })
}

/** Bytes that each worker handed in, and by round. */
export function uploadFigure({ rounds, workers: all, parameters, localSteps }: JobFacts): string {
  const totalOf = (id: string): number => rounds.reduce((sum, { bytesUp }) => sum + (bytesUp[id] ?? 0), 0)
  const senders = all.filter(({ id }) => totalOf(id) > 0)
  if (senders.length === 0) return ''
  const up = senders.reduce((sum, { id }) => sum + totalOf(id), 0)
  const updates = rounds.reduce((sum, { claims }) => sum + (claims?.length ?? 0), 0)
  const compared =
    parameters === null || localSteps === null || updates === 0
      ? ''
      : ` One f32 gradient a step, as synchronous training sends, would be ${wireSize(4 * parameters * localSteps * updates)} for the ${updates} claims.`
  return figure({
    title: 'Bytes',
    says: `Updates handed in, by what the workers say themselves: ${wireSize(up)}, each counted once; every node that fetches one takes as much. Workers that are down are missing.${compared}`,
    svg: barChart(
      `Bytes handed in by each of ${senders.length} workers`,
      senders.map(({ id, isAttacker }) => ({
        name: id,
        isMarked: isAttacker,
        parts: [{ name: 'handed in', value: totalOf(id), colour: 0 }],
      })),
      'bytes up',
      wireSize,
    ),
    table: {
      head: ['round', ...senders.map(({ id }) => id), 'together'],
      rows: rounds.map(({ round, bytesUp }) => [
        String(round),
        ...senders.map(({ id }) => (bytesUp[id] === undefined ? '' : String(bytesUp[id]))),
        String(Object.values(bytesUp).reduce((sum, bytes) => sum + bytes, 0)),
      ]),
    },
  })
}

/** Weights, and scores where the job measures them. */
export function weightFigures({ workers: all, rounds, isMasked }: JobFacts): string {
  if (isMasked)
    return `<section><h2>Who contributed</h2>
<p>The members' updates were summed under masks: nobody sees a single one, so there are no weights and no scores to show. Every sum is made over all members.</p>
</section>`
  const known = rounds.flatMap(({ round, claims }) => (claims ? [{ round, claims }] : []))
  if (known.length === 0) return ''
  return contributionFigures(
    { clients: all, rounds: known.map(({ round, claims }) => partsIn(round, claims, all)) },
    workers,
  )
}

/** A round as figures of contributions take it: one entry a worker, its shares added up. */
function partsIn(round: number, claims: NonNullable<JobRound['claims']>, all: JobFacts['workers']) {
  const members = all.flatMap(({ id }, i) => (claims.some(({ worker }) => worker === id) ? [i] : []))
  const sumOf = (member: number, of: (claim: (typeof claims)[number]) => number): number =>
    claims.filter(({ worker }) => worker === all[member]!.id).reduce((sum, claim) => sum + of(claim), 0)
  const isScored = claims.some(({ score }) => score !== undefined)
  return {
    round,
    members,
    weights: members.map((member) => sumOf(member, ({ weight }) => weight)),
    ...(isScored ? { scores: members.map((member) => sumOf(member, ({ score = 0 }) => score)) } : {}),
  }
}

const outcomes = [
  { outcome: 'matches', says: 'audited and right', colour: 2 },
  { outcome: 'not-drawn', says: 'not drawn', colour: 0 },
  { outcome: 'left-out', says: 'left out', colour: 7 },
  { outcome: 'expelled', says: 'of an expelled worker', colour: 1 },
  { outcome: 'wrong', says: 'audited and wrong', colour: 3 },
] as const

/** What became of the claims of each round, and who was convicted. */
export function auditFigure({ rounds, convictions }: JobFacts): string {
  const known = rounds.flatMap(({ round, claims }) => (claims ? [{ round, claims }] : []))
  const missing = rounds.length - known.length
  const all = known.flatMap(({ claims }) => claims)
  const audited = all.filter(({ auditor }) => auditor !== null).length
  const told = convictions.map(
    ({ node, round, of, slashedSalt }) => `${node} in round ${round + 1} (${of}, ${slashedSalt} SALT slashed)`,
  )
  const convicted = told.length === 0 ? 'Nobody was convicted.' : `Convicted: ${told.join('; ')}.`
  return figure({
    title: 'Audits and convictions',
    says: `${audited} of ${all.length} claims were drawn and recomputed. ${convicted}${missing > 0 ? ` The audit reports of ${missing} of the rounds are with nobody who is up.` : ''}`,
    svg: `${barChart(
      `Outcomes of the claims of ${known.length} rounds`,
      known.map(({ round, claims }) => ({
        name: `round ${round}`,
        isMarked: convictions.some((one) => one.round + 1 === round),
        parts: outcomes.map(({ outcome, says, colour }) => ({
          name: says,
          value: claims.filter((claim) => claim.outcome === outcome).length,
          colour,
        })),
      })),
      'claims',
      String,
    )}${legend(outcomes.map(({ says, colour }) => ({ name: says, colour })))}`,
    table: {
      head: ['round', 'share', 'worker', 'chance', 'auditor', 'outcome', 'weight', 'score', 'finding'],
      rows: known.flatMap(({ round, claims }) =>
        claims.map(({ share, worker, ratePpm, auditor, outcome, weight, score, finding }) => [
          String(round),
          String(share),
          worker,
          percent(ratePpm / 1e6),
          auditor ?? '',
          outcome,
          percent(weight),
          score === undefined ? '' : shortNumber(score),
          finding ?? '',
        ]),
      ),
    },
  })
}

/** What everybody earned, in all and by round. */
export function payFigure({ rounds, token }: JobFacts): string {
  const known = rounds.flatMap(({ round, pay }) => (pay ? [{ round, pay }] : []))
  const names = [...new Set(known.flatMap(({ pay }) => Object.keys(pay)))].sort()
  if (names.length === 0) return ''
  const totalOf = (name: string): bigint => known.reduce((sum, { pay }) => sum + BigInt(pay[name] ?? '0'), 0n)
  const shown = (units: bigint): string => formatAmount(units, token.decimals)
  const all = names.reduce((sum, name) => sum + totalOf(name), 0n)
  const missing = rounds.length - known.length
  return figure({
    title: 'Pay',
    says: `Earned for accepted work, by the lists behind the payout roots: ${shown(all)} ${token.symbol} in all.${missing > 0 ? ` What ${missing} of the rounds added is not known: their lists are with nobody who is up.` : ''}`,
    svg: barChart(
      `Pay of ${names.length} accounts`,
      names.map((name) => ({
        name,
        // For the picture alone: the table below has every unit.
        parts: [{ name: 'pay', value: Number(shown(totalOf(name))), colour: 2 }],
      })),
      token.symbol,
    ),
    table: {
      head: ['round', ...names],
      rows: [
        ...known.map(({ round, pay }) => [
          String(round),
          ...names.map((name) => (pay[name] === undefined ? '' : shown(BigInt(pay[name])))),
        ]),
        ['together', ...names.map((name) => shown(totalOf(name)))],
      ],
    },
  })
}

/** What owners of private tables found of the model on their own rows. */
export function evaluationFigure({ evaluations }: JobFacts): string {
  if (evaluations.length === 0) return ''
  const right = evaluations.reduce((sum, { correct }) => sum + correct, 0)
  const rows = evaluations.reduce((sum, one) => sum + one.rows, 0)
  return figure({
    title: 'Right at home',
    says: `Each owner tried the model on rows that stay with it: ${percent(right / Math.max(1, rows))} of ${rows} right.`,
    svg: barChart(
      `Part of the rows that the model gets right at each of ${evaluations.length} owners`,
      evaluations.map(({ owner, correct, rows: all }) => ({
        name: owner,
        parts: [{ name: 'right', value: correct / Math.max(1, all), colour: 2 }],
      })),
      'right',
      percent,
    ),
    table: {
      head: ['owner', 'right', 'rows'],
      rows: evaluations.map(({ owner, correct, rows: all }) => [owner, String(correct), String(all)]),
    },
  })
}
