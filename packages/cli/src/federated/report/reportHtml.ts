import { attackSection } from './attackSection.ts'
import { contributionFigures, partitionFigure } from './clientFigures.ts'
import { bytesFigure, curveFigures, totals } from './curveFigures.ts'
import type { FederatedFacts } from './FederatedFacts.ts'
import { lineChart } from './lineChart.ts'
import { figure, percent, shortNumber, wireSize } from './markup.ts'
import { page, settingsSection } from './page.ts'
import { resistanceSection } from './resistanceSection.ts'

/** The report of a run. */
export const reportHtml = (facts: FederatedFacts): string =>
  page({
    title: facts.title,
    summary: summary(facts),
    tiles: tiles(facts),
    sections: [
      curveFigures(facts),
      bytesFigure(facts),
      contributionFigures(facts),
      attackSection(facts),
      resistanceSection(facts.resistance),
      privacySection(facts),
      partitionFigure(facts),
      settingsSection(facts.settings),
    ],
  })

function summary({ clients, rounds, localSteps, parameters }: FederatedFacts): string {
  const seconds = rounds.at(-1)?.seconds ?? 0
  return `${clients.length} clients, ${rounds.length} rounds of ${localSteps} steps, a model of ${parameters} numbers; trained on one machine in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s.`
}

function tiles(facts: FederatedFacts): [string, string][] {
  const { up, down, synchronous } = totals(facts, facts.rounds)
  const shown = facts.test ?? facts.valid
  const on = facts.test ? `on ${facts.test.n} test rows` : 'on validation rows'
  return [
    ...(shown.accuracy === null ? [] : ([[percent(shown.accuracy), `right ${on}`]] as [string, string][])),
    [shortNumber(shown.loss), `loss ${on}`],
    [wireSize(up), 'sent up by all clients'],
    [wireSize(down), 'sent down to them'],
    [`${shortNumber(synchronous / Math.max(1, up))} ×`, 'less upload than synchronous f32'],
    ...(facts.privacy
      ? ([[`ε ${shortNumber(facts.privacy.epsilon)}`, `privacy spent, at δ ${facts.privacy.delta}`]] as [
          string,
          string,
        ][])
      : []),
  ]
}

function privacySection({ privacy, rounds }: FederatedFacts): string {
  if (!privacy) return ''
  const points = rounds.flatMap(({ round, epsilon }) => (epsilon === undefined ? [] : [[round, epsilon] as const]))
  return figure({
    title: 'Privacy spent',
    says: `ε ${shortNumber(privacy.epsilon)} at δ ${privacy.delta}. ${privacy.words.join(' ')}`,
    svg: lineChart({
      label: `Privacy spent over ${rounds.length} rounds, ${shortNumber(privacy.epsilon)} in the end`,
      xName: 'round',
      yName: 'ε',
      series: [{ name: 'ε', points, colour: 4 }],
    }),
    table: { head: ['round', 'ε'], rows: points.map(([round, epsilon]) => [String(round), shortNumber(epsilon)]) },
  })
}
