import {
  attackText,
  type Compression,
  type PoisoningResistance,
  poisoningResistance,
  type Rule,
} from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import { attackCells, cellKey, many, reference, seeds } from './attackCells.ts'
import { compressed } from './attackSetting.ts'
import type { AttackCell, AttackOutcome } from './runAttackCell.ts'

/** All seeds of one rule, compression, attack and number of attackers. */
export type GridRow = {
  readonly rule: Rule
  readonly compression: Compression
  readonly attack: string
  readonly attackers: number
  /** What sets it apart from the grid; null for a cell of the grid itself. */
  readonly special: string | null
  readonly seeds: readonly number[]
  readonly outcomes: readonly AttackOutcome[]
}

/** Cells of the same kind together, in the order of the list, seeds rising. */
export function gridRows(outcomeOf: (cell: AttackCell) => AttackOutcome): GridRow[] {
  const rows = new Map<string, GridRow>()
  for (const cell of attackCells()) {
    const { rule, compression, attackers } = cell
    const key = cellKey({ ...cell, seed: 0 })
    const row = rows.get(key) ?? {
      rule,
      compression,
      attackers,
      special: specialOf(cell),
      attack: attackText(cell.attack),
      seeds: [],
      outcomes: [],
    }
    rows.set(key, { ...row, seeds: [...row.seeds, cell.seed], outcomes: [...row.outcomes, outcomeOf(cell)] })
  }
  return [...rows.values()]
}

const CLEAN = 'without outer momentum'
export const POOL_ALONE = 'public pool alone'

function specialOf({ isUnsmoothed, isPoolAlone, pool }: AttackCell): string | null {
  if (isUnsmoothed) return CLEAN
  if (isPoolAlone) return POOL_ALONE
  return pool === undefined ? null : `public pool of ${pool}`
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Standard error of the mean; 0 of one value. */
export function errorOf(values: readonly number[]): number {
  const n = values.length
  const mean = meanOf(values)
  return n < 2 ? 0 : Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1) / n)
}

export const accuraciesOf = ({ outcomes }: GridRow): number[] => outcomes.map(({ accuracy }) => accuracy)

const isAt = (row: GridRow, rule: Rule, compression: Compression): boolean =>
  row.special === null && JSON.stringify([row.rule, row.compression]) === JSON.stringify([rule, compression])

/** The plain mean of the same clients, dense, without outer momentum, nobody lying: what every figure is held against. */
export function cleanRow(rows: readonly GridRow[]): GridRow {
  const found = rows.find(({ special }) => special === CLEAN)
  if (!found) throw new PotluckError('NO_ROW', 'the grid has no clean row: compute it first')
  return found
}

/** What the default rule makes of every attack of 40 %. */
export const defaultRows = (rows: readonly GridRow[], compression: Compression): GridRow[] =>
  rows.filter((row) => isAt(row, reference, compression) && row.attackers === many)

/** Below the same seed's clean run by so much, a run counts as stalled. */
export const STALLED = 0.15

export const stalledSeeds = (rows: readonly GridRow[], clean: GridRow): number =>
  rows.reduce(
    (sum, row) =>
      sum +
      row.outcomes.filter(({ accuracy }, i) => {
        const at = clean.seeds.indexOf(row.seeds[i]!)
        return accuracy < clean.outcomes[at]!.accuracy - STALLED
      }).length,
    0,
  )

/** The record that would be stored with a model trained in this setting. */
export function resistanceOf(rows: readonly GridRow[], compression: Compression, clients: number): PoisoningResistance {
  const attacked = defaultRows(rows, compression)
  const clean = cleanRow(rows)
  return poisoningResistance({
    rule: JSON.stringify(reference),
    compression: JSON.stringify(compression),
    attackers: attacked[0]!.attackers / clients,
    seeds: [...seeds],
    clean: {
      attack: 'none',
      accuracies: accuraciesOf(clean),
      backdoorSuccess: clean.outcomes.map((outcome) => outcome.backdoorSuccess),
    },
    cells: attacked.map((row) => ({
      attack: row.attack,
      accuracies: accuraciesOf(row),
      ...(row.attack.startsWith('backdoor')
        ? { backdoorSuccess: row.outcomes.map((outcome) => outcome.backdoorSuccess) }
        : {}),
    })),
  })
}

export const isCompressed = (row: GridRow): boolean => JSON.stringify(row.compression) === JSON.stringify(compressed)
