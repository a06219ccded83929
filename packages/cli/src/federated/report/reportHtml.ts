import { contributionFigures, partitionFigure, partsOf } from './clientFigures.ts'
import { bytesFigure, curveFigures, totals } from './curveFigures.ts'
import type { FederatedFacts } from './FederatedFacts.ts'
import { lineChart } from './lineChart.ts'
import { escaped, figure, percent, shortNumber, tableHtml, wireSize } from './markup.ts'
import { pageStyle } from './pageStyle.ts'

/** The report of a run: one page that needs nothing but itself, readable without its pictures and in light or dark. */
export const reportHtml = (facts: FederatedFacts): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(facts.title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${escaped(facts.title)}</h1>
<p class="quiet">${escaped(summary(facts))}</p>
</header>
<main>
<ul class="tiles">
${tiles(facts)
  .map(([value, name]) => `<li><b>${escaped(value)}</b><span>${escaped(name)}</span></li>`)
  .join('\n')}
</ul>
${curveFigures(facts)}
${bytesFigure(facts)}
${contributionFigures(facts)}
${attackSection(facts)}
${privacySection(facts)}
${partitionFigure(facts)}
<section class="settings"><h2>Settings</h2>
${tableHtml({ head: ['setting', 'value'], rows: facts.settings })}
</section>
</main>
</body>
</html>
`

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

function attackSection(facts: FederatedFacts): string {
  const { attack, clients } = facts
  if (!attack) return ''
  const parts = partsOf(facts)
  const meanOf = (isAttacker: boolean): number => {
    const some = parts.filter((part, c) => clients[c]?.isAttacker === isAttacker && part.rounds > 0)
    return some.reduce((sum, { mean }) => sum + mean, 0) / Math.max(1, some.length)
  }
  return `<section><h2>Attack</h2>
<p>${attack.count} of ${clients.length} clients lie (${escaped(attack.name)}). An attacker's mean weight is ${percent(meanOf(true))}, an honest client's ${percent(meanOf(false))}.</p>
</section>`
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
