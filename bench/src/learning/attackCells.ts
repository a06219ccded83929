import { type Attack, attackSuite, type Rule } from '@potluck/learning'
import { backdoor, compressed, dense, setting } from './attackSetting.ts'
import type { AttackCell } from './runAttackCell.ts'

/** Seeds 1 and 2 chose the setting. */
export const seeds = [3, 4, 5, 6, 7] as const
/** For the rules that are not the default. */
const fewSeeds = [3] as const
/** Backdoors of one, two and four clients. */
const fewDoors = [1, 2, 4]
/** Rows of a pool that is too small. */
const SMALL_POOL = 200
const none: Attack = { kind: 'none' }
/** 40 % and 20 % of the clients. */
export const [many, few] = [(2 * setting.clients) / 5, setting.clients / 5]

const mean: Rule = { kind: 'mean' }
export const reference: Rule = { kind: 'reference' }
/** The adaptive attacker's search is cut to two thirds: it costs more than the training. Riders with a whisper of noise are all but zeros. */
export const suite = attackSuite(backdoor)
  .filter((attack) => attack.kind !== 'freeRider' || attack.sends !== 'noise')
  .map((attack) => (attack.kind === 'adaptive' ? { ...attack, evaluations: 40 } : attack))

/** Rules that look at nothing but the updates, told how many lie. */
const statistics = (attackers: number): Rule[] => [
  mean,
  { kind: 'multiKrum', attackers },
  { kind: 'median' },
  { kind: 'trimmedMean', trim: attackers },
  { kind: 'geometricMedian' },
  { kind: 'centeredClipping' },
  { kind: 'normBound' },
  // biome-ignore lint/suspicious/noThenProperty: the rule that follows, as Rule names it
  { kind: 'bucketing', size: 2, then: { kind: 'centeredClipping' } },
  // biome-ignore lint/suspicious/noThenProperty: the rule that follows, as Rule names it
  { kind: 'nearestNeighbours', attackers, then: { kind: 'trimmedMean', trim: attackers } },
]
/** Tried at 40 % too, against the known attacks only. */
const strongest = ['geometricMedian', 'centeredClipping']
const harder: Attack[] = [
  { kind: 'alie', z: 1.5 },
  { kind: 'ipm' },
  // Half the search of the default rule's cells: some of these rules cost much more.
  { kind: 'adaptive', evaluations: 30 },
]

/** All cells, the most telling first, so that a slice cut short leaves a whole smaller grid. */
export function attackCells(): AttackCell[] {
  const cells: AttackCell[] = []
  for (const seed of seeds) {
    cells.push({ rule: mean, compression: dense, attack: none, attackers: 0, seed, isUnsmoothed: true })
    cells.push({ rule: mean, compression: dense, attack: none, attackers: 0, seed })
    cells.push({ rule: mean, compression: compressed, attack: none, attackers: 0, seed })
    cells.push({ rule: mean, compression: dense, attack: none, attackers: 0, seed, isPoolAlone: true })
    for (const compression of [dense, compressed]) {
      cells.push({ rule: reference, compression, attack: none, attackers: 0, seed })
      for (const attack of suite) cells.push({ rule: reference, compression, attack, attackers: many, seed })
    }
  }
  const door = suite.find(({ kind }) => kind === 'backdoor') ?? none
  const adaptive = suite.find(({ kind }) => kind === 'adaptive') ?? none
  for (const seed of fewSeeds) {
    cells.push({ rule: reference, compression: dense, attack: adaptive, attackers: many, seed, pool: SMALL_POOL })
    for (const attackers of fewDoors) cells.push({ rule: reference, compression: dense, attack: door, attackers, seed })
    for (const attackers of [few, many]) {
      const isFew = attackers === few
      const all = statistics(attackers)
      for (const rule of isFew ? all : all.filter(({ kind }) => strongest.includes(kind))) {
        cells.push({ rule, compression: dense, attack: none, attackers: 0, seed })
        for (const attack of isFew ? harder : harder.slice(0, 2))
          cells.push({ rule, compression: dense, attack, attackers, seed })
      }
    }
  }
  return [...new Map(cells.map((cell) => [cellKey(cell), cell])).values()]
}

/** Tells cells apart. */
export const cellKey = (cell: AttackCell): string => {
  const { rule, compression, attack, attackers, seed, isUnsmoothed = false, ...pool } = cell
  return JSON.stringify([
    ...[rule, compression, attack, attackers, seed, isUnsmoothed],
    ...(Object.keys(pool).length > 0 ? [pool] : []),
  ])
}
