import { type Attack, attackText, type PoisoningResistance, poisoningResistance } from '@potluck/learning'
import { table } from '../../demo/Screen.ts'
import type { AttackGround } from './AttackGround.ts'
import type { StoredResistance } from './resistanceFile.ts'
import type { UnderAttack } from './runUnderAttack.ts'

export type AttackRun = {
  /** With its first seed. */
  readonly ground: AttackGround
  readonly attacks: readonly Attack[]
  readonly liars: number
  readonly seeds: readonly number[]
  /** By name of the cell: what came of each seed. */
  readonly outcomes: ReadonlyMap<string, readonly UnderAttack[]>
  readonly warning: string | null
}

/** The record of a grid, and what is worth knowing beside it. Throws BAD_GRID where nothing could be lost. */
export function attackReport({ ground, attacks, liars, seeds, outcomes, warning }: AttackRun): StoredResistance {
  const { clients, rounds, rule, compression, clean, unattacked, setting } = ground
  const cellOf = (name: string, attack = name): PoisoningResistance['clean'] => {
    const all = outcomes.get(name) ?? []
    const success = all.flatMap((outcome) => outcome.backdoorSuccess ?? [])
    const isBackdoor = attack === 'none' || attack.startsWith('backdoor')
    return {
      attack,
      accuracies: all.map(({ accuracy }) => accuracy),
      ...(isBackdoor && success.length === all.length ? { backdoorSuccess: success } : {}),
    }
  }
  const names = attacks.map(attackText)
  const record = poisoningResistance({
    rule: JSON.stringify(rule),
    compression: JSON.stringify(compression),
    attackers: liars / clients,
    seeds,
    clean: cellOf(clean.name, 'none'),
    cells: names.map((name) => cellOf(name)),
  })
  return {
    ...record,
    setting,
    clients,
    liars,
    rounds,
    unattacked: cellOf(unattacked.name, 'none'),
    zeroed: Object.fromEntries(
      [unattacked.name, ...names].map((name) => [
        name === unattacked.name ? 'none' : name,
        mean((outcomes.get(name) ?? []).map(({ zeroed }) => zeroed)),
      ]),
    ),
    warning,
  }
}

/** The grid for a person. */
export function attackLines(report: StoredResistance, { clean, unattacked }: AttackGround): string[] {
  const best = mean(report.clean.accuracies)
  const row = (
    name: string,
    { accuracies, backdoorSuccess }: PoisoningResistance['clean'],
    zeroed: number | undefined,
  ): string[] => [
    name,
    shownPercent(mean(accuracies)),
    shownPercent(mean(accuracies) / best),
    zeroed === undefined ? '' : shownPercent(zeroed),
    backdoorSuccess ? shownPercent(mean(backdoorSuccess)) : '',
  ]
  return [
    ...table([
      [`${report.liars} of ${report.clients} lie`, 'right', 'of clean', 'honest unheard', 'triggered'],
      row(clean.name, report.clean, undefined),
      row(unattacked.name, report.unattacked, report.zeroed.none),
      ...report.cells.map((cell) => row(cell.attack, cell, report.zeroed[cell.attack])),
    ]),
    '',
    `poisoning resistance ${report.score.toFixed(3)} of 1, decided by ${report.worst}; it speaks of these attacks on this data only`,
    ...(report.warning === null ? [] : [`warning: ${report.warning}`]),
  ]
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
export const shownPercent = (rate: number): string => `${(100 * rate).toFixed(2)} %`
