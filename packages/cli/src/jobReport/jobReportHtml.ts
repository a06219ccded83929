import { formatAmount } from '../commands/amounts.ts'
import { escaped, percent, shortNumber, wireSize } from '../federated/report/markup.ts'
import { page, settingsSection } from '../federated/report/page.ts'
import type { JobFacts } from './JobHistory.ts'
import { auditFigure, evaluationFigure, lossFigure, payFigure, uploadFigure, weightFigures } from './jobFigures.ts'

/** The report of a job of the network. */
export const jobReportHtml = (facts: JobFacts): string =>
  page({
    title: facts.title,
    summary: facts.summary,
    tiles: tiles(facts),
    sections: [
      lossFigure(facts),
      evaluationFigure(facts),
      uploadFigure(facts),
      weightFigures(facts),
      auditFigure(facts),
      payFigure(facts),
      `<section><h2>Poisoning resistance</h2>\n<p>${escaped(sentence(facts.resistance))}</p>\n</section>`,
      settingsSection(facts.settings),
    ],
  })

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function tiles({ rounds, workers, convictions, token }: JobFacts): [string, string][] {
  const last = rounds.flatMap(({ valid }) => (valid ? [valid] : [])).at(-1)
  const bytes = rounds.flatMap(({ bytesUp }) => Object.values(bytesUp)).reduce((sum, one) => sum + one, 0)
  const paid = rounds.flatMap(({ pay }) => Object.values(pay ?? {})).reduce((sum, units) => sum + BigInt(units), 0n)
  return [
    [String(rounds.length), 'rounds final'],
    ...(last ? ([[shortNumber(last.loss), 'loss on validation text']] as [string, string][]) : []),
    ...(last && last.accuracy !== null
      ? ([[percent(last.accuracy), 'of its characters right']] as [string, string][])
      : []),
    [String(workers.length), 'workers delivered'],
    ...(bytes > 0 ? ([[wireSize(bytes), 'of updates handed in']] as [string, string][]) : []),
    [String(convictions.length), 'convictions'],
    [`${formatAmount(paid, token.decimals)} ${token.symbol}`, 'earned'],
  ]
}
