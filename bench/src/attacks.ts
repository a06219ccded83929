/**
 * The attack grid: MNIST, 20 clients with Dirichlet(0.3) classes, a network of 784-32-10, ten local steps a round, 40 rounds, 40 % of the
 * clients lying; the default rule against every attack in five paired seeds, dense and compressed, other rules in two seeds.
 *
 * The clean figure is the plain mean of the same 20 clients with nobody lying. Every number is an exact function of its seed.
 *
 * It runs for an hour or more. POTLUCK_ATTACKS_SECONDS=N stops it after about so long; finished cells are kept and the next run goes on.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { PotluckError } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import { openAttackCache } from './learning/attackCache.ts'
import { attackCells, cellKey } from './learning/attackCells.ts'
import {
  accuraciesOf,
  cleanRow,
  defaultRows,
  errorOf,
  type GridRow,
  gridRows,
  meanOf,
  resistanceOf,
  stalledSeeds,
} from './learning/attackGrid.ts'
import { compressed, dense, ruleText, setting } from './learning/attackSetting.ts'
import { type AttackCell, runAttackCell } from './learning/runAttackCell.ts'
import { unheardUpdates } from './learning/unheardUpdates.ts'
import type { Row } from './Row.ts'

/** Everything is exact. */
export const tolerance = 0

const gridFile = new URL('../results/attacks-grid.json', import.meta.url)

export async function run(): Promise<Row[]> {
  const cache = openAttackCache()
  const limit = Number(process.env.POTLUCK_ATTACKS_SECONDS ?? Number.POSITIVE_INFINITY)
  const left = attackCells().filter((cell) => !cache.get(cellKey(cell)))
  const started = performance.now()
  const engine = await createLocalEngine({ executor: 'auto', threads: 1 })
  try {
    for (const [i, cell] of left.entries()) {
      const elapsed = (performance.now() - started) / 1000
      if (elapsed > limit) {
        throw new PotluckError('UNFINISHED', `${left.length - i} cells are left: run the same command again`)
      }
      const outcome = await runAttackCell(engine, cell)
      cache.add(cellKey(cell), outcome)
      console.error(`${left.length - i - 1} left; ${describe(cell)}: ${(100 * outcome.accuracy).toFixed(2)} %`)
    }
    const rows = gridRows((cell) => cache.get(cellKey(cell))!)
    const unheard = await unheardUpdates(engine)
    mkdirSync(new URL('.', gridFile), { recursive: true })
    writeFileSync(gridFile, `${JSON.stringify({ setting, rows, unheard }, null, 1)}\n`)
    return report(rows, unheard)
  } finally {
    await engine.close()
  }
}

const describe = ({ rule, compression, attack, attackers, seed }: AttackCell): string =>
  `${ruleText(rule)}, ${compression.kind}, ${attackers} × ${JSON.stringify(attack)}, seed ${seed}`

function report(rows: readonly GridRow[], unheard: Readonly<Record<string, number>>): Row[] {
  const clean = cleanRow(rows)
  const cleanMean = percent(meanOf(accuraciesOf(clean)))
  const against = (what: string, value: number, unit: string): Row => ({
    ...{ what, value, unit, rival: 'clean: plain mean, nobody lying' },
    ...{ rivalValue: cleanMean, ratio: value / cleanMean },
  })
  const alone = (what: string, value: number, unit: string): Row => ({
    ...{ what, value, unit, rival: null, rivalValue: null, ratio: null },
  })
  const ways = { dense, compressed }
  return [
    alone('clean', cleanMean, '%'),
    alone('clean.error', percent(errorOf(accuraciesOf(clean))), 'points'),
    ...Object.entries(ways).flatMap(([name, compression]) => {
      const attacked = defaultRows(rows, compression)
      const worst = attacked.reduce((a, b) => (meanOf(accuraciesOf(b)) < meanOf(accuraciesOf(a)) ? b : a))
      const door = attacked.find(({ attack }) => attack.startsWith('backdoor'))!
      const zeroed = Math.max(...attacked.map(({ outcomes }) => meanOf(outcomes.map((outcome) => outcome.zeroed))))
      return [
        against(`worst.${name}`, percent(meanOf(accuraciesOf(worst))), `% (${worst.attack})`),
        alone(`worst.${name}.error`, percent(errorOf(accuraciesOf(worst))), 'points'),
        alone(`stalled.${name}`, stalledSeeds(attacked, clean), 'runs'),
        alone(`zeroed.${name}`, percent(zeroed), '% of honest updates, worst attack'),
        alone(`backdoor.${name}`, percent(meanOf(door.outcomes.map((outcome) => outcome.backdoorSuccess))), '%'),
        alone(`resistance.${name}`, round(resistanceOf(rows, compression, setting.clients).score), 'of 1'),
      ]
    }),
    ...Object.entries(unheard).map(([name, rate]) =>
      alone(`opposed to the ${name}`, percent(rate), '% of honest updates'),
    ),
    ...rows.map((row) => against(rowName(row), percent(meanOf(accuraciesOf(row))), `%, ${row.seeds.length} seeds`)),
  ]
}

const rowName = ({ rule, compression, attackers, attack, special }: GridRow): string =>
  `${ruleText(rule)}${special === null ? '' : `, ${special}`}, ${compression.kind === 'f32' ? 'dense' : 'compressed'}, ${attackers} of ${setting.clients}, ${attack}`

const round = (value: number): number => Math.round(value * 10_000) / 10_000
const percent = (rate: number): number => round(100 * rate)
