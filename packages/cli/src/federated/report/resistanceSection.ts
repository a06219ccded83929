import { resistanceText } from '@potluck/protocol'
import { resistanceNoteOf, type StoredResistance } from '../attack/resistanceFile.ts'
import { barChart } from './barCharts.ts'
import { escaped, figure, percent } from './markup.ts'

/** What is known of a model's resistance to poisoning. */
export type ResistanceFacts = {
  readonly record: StoredResistance | null
  /** How to measure it, or why it cannot be. */
  readonly how: string
}

const [START, END] = ['<!-- resistance -->', '<!-- /resistance -->']
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The record as a picture with its numbers, or that there is none. */
export function resistanceSection({ record, how }: ResistanceFacts): string {
  const inside = record
    ? measured(record)
    : `<section><h2>Poisoning resistance</h2>\n<p>Not measured. ${escaped(how)}</p>\n</section>`
  return `${START}\n${inside}\n${END}`
}

/** A report written earlier, with the section of today; undefined where it has no such section. */
export function replaceResistance(html: string, facts: ResistanceFacts): string | undefined {
  const [from, to] = [html.indexOf(START), html.indexOf(END)]
  if (from < 0 || to < from) return undefined
  return `${html.slice(0, from)}${resistanceSection(facts)}${html.slice(to + END.length)}`
}

function measured(record: StoredResistance): string {
  const { clean, unattacked, cells, clients, liars, rounds, seeds, zeroed } = record
  const rows = [
    { name: 'mean, no liars', cell: clean, zeroed: undefined },
    { name: 'rule, no liars', cell: unattacked, zeroed: zeroed.none },
    ...cells.map((cell) => ({ name: cell.attack, cell, zeroed: zeroed[cell.attack] })),
  ]
  return figure({
    title: 'Poisoning resistance',
    says: `${resistanceText(resistanceNoteOf(record))}. Measured with ${liars} of ${clients} clients lying, ${rounds} rounds, ${seeds.length} training${seeds.length === 1 ? '' : 's'} a bar. It speaks of these attacks on this data only.${record.warning === null ? '' : ` Known to fail here: ${record.warning}`}`,
    svg: barChart(
      `Right answers under each of ${cells.length} attacks, and without`,
      rows.map(({ name, cell }) => ({
        name: name.length > 17 ? `${name.slice(0, 16)}…` : name,
        isMarked: cell.attack === record.worst,
        parts: [{ name: 'right', value: mean(cell.accuracies), colour: cell.attack === 'none' ? 2 : 3 }],
      })),
      'part of the validation rows right',
      percent,
    ),
    table: {
      head: ['attack', 'right', 'of clean', 'honest unheard', 'triggered rows taken for the target'],
      rows: rows.map(({ name, cell, zeroed: unheard }) => [
        name,
        percent(mean(cell.accuracies)),
        percent(mean(cell.accuracies) / mean(clean.accuracies)),
        unheard === undefined ? '' : percent(unheard),
        cell.backdoorSuccess ? percent(mean(cell.backdoorSuccess)) : '',
      ]),
    },
  })
}
