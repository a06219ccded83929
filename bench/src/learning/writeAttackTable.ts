/**
 * Writes the tables of docs/attacks.md anew from bench/results/attacks-grid.json, between its two marks; the words around them are left
 * alone. `node bench/src/learning/writeAttackTable.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { PotluckError } from '@potluck/protocol'
import { few, many } from './attackCells.ts'
import {
  accuraciesOf,
  cleanRow,
  defaultRows,
  errorOf,
  type GridRow,
  isCompressed,
  meanOf,
  resistanceOf,
  STALLED,
  stalledSeeds,
} from './attackGrid.ts'
import { compressed, dense, ruleText, setting } from './attackSetting.ts'

const start = '<!-- tables: written by bench/src/learning/writeAttackTable.ts -->'
const end = '<!-- end of tables -->'
const document = new URL('../../../docs/attacks.md', import.meta.url)
const grid = new URL('../../results/attacks-grid.json', import.meta.url)

/** A cell may lose so much against the clean run. */
const MOST_LOST = 0.05

const percent = (rate: number): string => (100 * rate).toFixed(1)
/** One seed has no standard error. */
const shown = (values: readonly number[]): string =>
  `${percent(meanOf(values))}${values.length > 1 ? ` ± ${percent(errorOf(values))}` : ''}`
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const head = (...cells: string[]): string[] => [line(cells), line(cells.map((_, i) => (i === 0 ? '---' : '---:')))]

/** The tables and the figures above them, as Markdown. */
export function attackTables(rows: readonly GridRow[], unheard: Readonly<Record<string, number>>): string[] {
  const clean = cleanRow(rows)
  const bar = meanOf(accuraciesOf(clean)) - MOST_LOST
  const mark = (row: GridRow): string => (meanOf(accuraciesOf(row)) < bar ? ' ✗' : '')
  const cell = (row: GridRow | undefined): string => (row ? `${shown(accuraciesOf(row))}${mark(row)}` : '')
  return [
    `Clean (plain mean, nobody lying, ${clean.seeds.length} seeds): ${shown(accuraciesOf(clean))} %. ✗ marks a cell more than ${100 * MOST_LOST} points below it.`,
    '',
    ...defaultTable(rows, cell),
    '',
    ...[
      { name: 'dense', compression: dense },
      { name: 'compressed', compression: compressed },
    ].flatMap(({ name, compression }) =>
      summary(name, defaultRows(rows, compression), clean, resistanceOf(rows, compression, setting.clients).score),
    ),
    ...[few, many].flatMap((attackers) => ['', ...otherTable(rows, attackers, cell)]),
    '',
    '**Beside the grid**, dense:',
    '',
    ...head('what', 'accuracy', 'triggered rows taken for 0'),
    ...rows.filter((row) => isBeside(row, clean)).map((row) => line([besideName(row), cell(row), triggered(row)])),
    '',
    ...head('honest updates that point away from … (one seed, nobody lying, every fifth round)', 'of all'),
    ...Object.entries(unheard).map(([name, rate]) => line([`the ${name}`, `${percent(rate)} %`])),
  ]
}

const zeroed = (row: GridRow | undefined): string =>
  row ? percent(meanOf(row.outcomes.map((outcome) => outcome.zeroed))) : ''
const triggered = (row: GridRow | undefined): string =>
  row ? percent(meanOf(row.outcomes.map((outcome) => outcome.backdoorSuccess))) : ''

/** What was looked at once, outside the tables: the pool alone, a small pool, backdoors of a few. */
const isBeside = (row: GridRow, clean: GridRow): boolean =>
  row.special === null
    ? row.rule.kind === 'reference' && ![0, many].includes(row.attackers)
    : row.special !== clean.special

const besideName = ({ rule, special, attack, attackers, seeds }: GridRow): string =>
  [
    ruleText(rule),
    ...(special === null ? [] : [special]),
    ...(attackers === 0 ? [] : [`${attackers} of ${setting.clients} ${attack}`]),
    `${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}`,
  ].join(', ')

function defaultTable(rows: readonly GridRow[], cell: (row: GridRow | undefined) => string): string[] {
  const [plain, packed] = [defaultRows(rows, dense), defaultRows(rows, compressed)]
  const none = rows.filter((row) => row.rule.kind === 'reference' && row.attack === 'none' && row.special === null)
  const pair = (name: string, a: GridRow | undefined, b: GridRow | undefined): string =>
    line([name, cell(a), cell(b), zeroed(a), zeroed(b), triggered(a), triggered(b)])
  return [
    `**The default rule, 40 % lying** (8 of 20; accuracy in %, mean ± standard error over seeds):`,
    '',
    ...head(
      'attack',
      'dense',
      'compressed',
      'honest updates unheard, dense',
      'compressed',
      'triggered rows taken for 0, dense',
      'compressed',
    ),
    pair(
      'none',
      none.find((row) => !isCompressed(row)),
      none.find(isCompressed),
    ),
    ...plain.map((row) =>
      pair(
        row.attack,
        row,
        packed.find(({ attack }) => attack === row.attack),
      ),
    ),
  ]
}

function summary(name: string, attacked: readonly GridRow[], clean: GridRow, score: number): string[] {
  const worst = attacked.reduce((a, b) => (meanOf(accuraciesOf(b)) < meanOf(accuraciesOf(a)) ? b : a))
  const lost = meanOf(accuraciesOf(clean)) - meanOf(accuraciesOf(worst))
  return [
    `- ${name}: worst is ${worst.attack}, ${shown(accuraciesOf(worst))} %, ${(100 * lost).toFixed(1)} points below clean (bar: ${100 * MOST_LOST}); ${stalledSeeds(attacked, clean)} of ${attacked.length * clean.seeds.length} runs stalled (more than ${100 * STALLED} points below the same seed's clean run); poisoning resistance ${score.toFixed(3)}.`,
  ]
}

function otherTable(rows: readonly GridRow[], attackers: number, cell: (row: GridRow | undefined) => string): string[] {
  const here = rows.filter(
    (row) => row.attackers === attackers && !isCompressed(row) && row.special === null && row.rule.kind !== 'reference',
  )
  const attacks = [...new Set(here.map(({ attack }) => attack))]
  const rules = [...new Map(here.map((row) => [JSON.stringify(row.rule), row.rule])).values()]
  const at = (rule: string, attack: string): GridRow | undefined =>
    here.find((row) => JSON.stringify(row.rule) === rule && row.attack === attack)
  if (here.length === 0) return []
  return [
    `**Other rules, ${(100 * attackers) / setting.clients} % lying**, dense, ${here[0]!.seeds.length === 1 ? 'one seed' : `${here[0]!.seeds.length} seeds`}:`,
    '',
    ...head('rule', 'none', ...attacks),
    ...rules.map((rule) => {
      const key = JSON.stringify(rule)
      const none = rows.find(
        (row) =>
          JSON.stringify(row.rule) === key && row.attack === 'none' && !isCompressed(row) && row.special === null,
      )
      return line([ruleText(rule), cell(none), ...attacks.map((attack) => cell(at(key, attack)))])
    }),
  ]
}

function write(): void {
  const { rows, unheard } = JSON.parse(readFileSync(grid, 'utf8')) as {
    rows: GridRow[]
    unheard: Record<string, number>
  }
  const text = readFileSync(document, 'utf8')
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new PotluckError('NO_MARKS', `docs/attacks.md has no place for tables: write ${start} and ${end} in it`)
  writeFileSync(
    document,
    `${text.slice(0, from + start.length)}\n\n${attackTables(rows, unheard).join('\n')}\n\n${text.slice(to)}`,
  )
}

if (import.meta.main) write()
