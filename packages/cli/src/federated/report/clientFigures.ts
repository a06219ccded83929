import { scoreContributions } from '@potluck/learning'
import type { RoundRecord } from '../RoundRecord.ts'
import { barChart, legend } from './barCharts.ts'
import type { ClientFacts, FederatedFacts } from './FederatedFacts.ts'
import { figure, percent, shortNumber } from './markup.ts'
import { weightMap } from './weightMap.ts'

/** Colours there are; classes beyond are drawn together. */
const COLOURS = 10

/** Who has what: rows of each class, stacked. */
export function partitionFigure({ clients, classes, unit }: FederatedFacts): string {
  const names = classes.length === 0 ? [unit] : classes.length > COLOURS ? [...classes.slice(0, 9), 'others'] : classes
  const countsOf = (client: (typeof clients)[number]): number[] => {
    if (classes.length === 0) return [client.size]
    if (classes.length <= COLOURS) return [...client.counts]
    return [...client.counts.slice(0, 9), client.counts.slice(9).reduce((sum, count) => sum + count, 0)]
  }
  const bars = clients.map((client) => ({
    name: client.id,
    isMarked: client.isAttacker,
    parts: countsOf(client).map((value, i) => ({ name: names[i] ?? '', value, colour: i })),
  }))
  const sizes = clients.map(({ size }) => size)
  return figure({
    title: 'Who has which data',
    says: `From ${Math.min(...sizes)} to ${Math.max(...sizes)} ${unit} a client${classes.length > 0 ? ', by class' : ''}.`,
    svg: `${barChart(`${unit} of each class at ${clients.length} clients`, bars, unit, String)}${classes.length > 0 ? legend(names.map((name, colour) => ({ name, colour }))) : ''}`,
    table: {
      head: ['client', unit, ...(classes.length > 0 ? names : [])],
      rows: clients.map((client) => [
        client.id,
        String(client.size),
        ...(classes.length > 0 ? countsOf(client).map(String) : []),
      ]),
    },
  })
}

export type ClientPart = {
  /** Mean weight over the rounds it took part in. */
  readonly mean: number
  readonly rounds: number
  /** What it took off the validation loss over the run; null where nothing was measured. */
  readonly score: number | null
  /** Its part of the pay that follows from the scores: capped a round, added up, cut at 0. */
  readonly share: number | null
}

/** What figures about contributions are drawn from. */
export type Contributions = {
  readonly clients: readonly Pick<ClientFacts, 'id' | 'isAttacker'>[]
  readonly rounds: readonly Pick<RoundRecord, 'round' | 'members' | 'weights' | 'scores'>[]
}

/** What each client gave to the run. */
export function partsOf({ clients, rounds }: Contributions): ClientPart[] {
  const scored = rounds.flatMap(({ round, members, scores }) =>
    scores?.every(Number.isFinite) ? [{ round, members, values: scores }] : [],
  )
  const shares = scoreContributions(scored, clients.length)
  return clients.map((_, c) => {
    const seen = rounds.flatMap(({ members, weights, scores }) => {
      const at = members.indexOf(c)
      return at < 0 ? [] : [{ weight: weights[at] ?? 0, score: scores?.[at] }]
    })
    const scores = seen.flatMap(({ score }) => (score === undefined ? [] : [score]))
    return {
      rounds: seen.length,
      mean: seen.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, seen.length),
      score: scores.length > 0 ? scores.reduce((sum, score) => sum + score, 0) : null,
      share: scored.length > 0 ? (shares[c]?.share ?? 0) : null,
    }
  })
}

/** How those are called who contribute, and whether pay follows from their scores. */
export type ContributionWords = {
  readonly one: string
  /** Of those that are marked. */
  readonly marked: string
  readonly isPaidByScore: boolean
}

const ofClients: ContributionWords = { one: 'client', marked: 'attacker', isPaidByScore: true }

/** How much each client counted, over the run and in every round; with scores, what its updates gave. */
export function contributionFigures(facts: Contributions, words: ContributionWords = ofClients): string {
  const { clients, rounds } = facts
  const { one, marked, isPaidByScore } = words
  const parts = partsOf(facts)
  const table = {
    head: [one, 'rounds', 'mean weight', 'score', ...(isPaidByScore ? ['share of pay'] : []), ''],
    rows: clients.map(({ id, isAttacker }, c) => {
      const { rounds: count, mean, score, share } = parts[c]!
      return [
        id,
        String(count),
        percent(mean),
        score === null ? '' : shortNumber(score),
        ...(isPaidByScore ? [share === null ? '' : percent(share)] : []),
        isAttacker ? marked : '',
      ]
    }),
  }
  const bars = (of: (part: ClientPart) => number, name: string) =>
    clients.map((client, c) => ({
      name: client.id,
      isMarked: client.isAttacker,
      parts: [{ name, value: of(parts[c]!), colour: client.isAttacker ? 3 : 0 }],
    }))
  const hasScores = parts.some(({ score }) => score !== null)
  const flag = clients.some(({ isAttacker }) => isAttacker)
    ? ` ⚑ marks ${/^[aeiou]/.test(marked) ? 'an' : 'a'} ${marked}.`
    : ''
  const scored = hasScores
    ? figure({
        title: `What each ${one} gave`,
        says: `How much its updates took off the validation loss, over all rounds (in-run Shapley values). Below zero: the model would have been better without.${isPaidByScore ? '' : ' No pay follows from it.'}${flag}`,
        svg: barChart(
          `Contribution score of each ${one}`,
          bars(({ score }) => score ?? 0, 'score'),
          'score',
        ),
        table,
      })
    : ''
  return `${scored}
${figure({
  title: 'Who contributed',
  says: `Each ${one}'s part in the aggregate: its mean weight over the rounds it took part in.${flag}`,
  svg: barChart(
    `Mean weight of each ${one}`,
    bars(({ mean }) => mean, 'mean weight'),
    'mean weight',
    percent,
  ),
  table,
})}
${figure({
  title: 'Who counted when',
  says: `One row a ${one}, one column a round: the stronger the colour, the more its update counted; full at twice an equal part, pale at none, empty where it took no part.${flag}`,
  svg: weightMap(`Weight of each ${one} in each round`, clients, rounds),
  table: {
    head: ['round', ...clients.map(({ id }) => id)],
    rows: rounds.map(({ round, members, weights }) => [
      String(round),
      ...clients.map((_, c) => {
        const at = members.indexOf(c)
        return at < 0 ? '' : percent(weights[at] ?? 0)
      }),
    ]),
  },
})}`
}
