/**
 * Who contributed what: scores taken during one run beside the truth, and whether it pays to cheat.
 *
 * `spearman`: twelve contributors of planted quality on MNIST rows; truth is the loss on 2,000 other rows when the model is trained again
 * without one of them. `….profit`: a simulated public job of twenty; see `learning/contributionMoney.ts` for the money.
 */
import type { Engine } from '@potluck/engine'
import { createLocalEngine } from '@potluck/runtime'
import { imageRows, type LabelledImages, readImages, shuffledNumbers } from './learning/benchData.ts'
import { type CheatKind, type Economy, type EconomyData, kinds, simulateEconomy } from './learning/contributionMoney.ts'
import { meanAndError } from './learning/contributionRanks.ts'
import { type Agreement, agreementOf } from './learning/contributionTruth.ts'
import type { Row } from './Row.ts'

/** Exact programs: another machine gets the same numbers. */
export const tolerance = 0.01

const SEEDS = [1, 2, 3, 4, 5]
const MONEY_SEEDS = [1, 2]
const CHEATS = [1, 2, 4, 6, 8]
const MEMBERS = 20
const BAR = 0.8

export async function run(): Promise<Row[]> {
  const engine = await createLocalEngine()
  const images = readImages('mnist.train')
  const rows = [...(await truthRows(engine, images)), ...(await moneyRows(engine, economyData(images)))]
  await engine.close?.()
  return rows
}

async function truthRows(engine: Engine, images: LabelledImages): Promise<Row[]> {
  const rows: Row[] = []
  for (const rule of ['weightedMean', 'reference'] as const) {
    const found: Agreement[] = []
    for (const seed of SEEDS) {
      found.push(await agreementOf(engine, images, rule, seed))
      console.error(`${rule}, seed ${seed}: ${JSON.stringify(found.at(-1))}`)
    }
    const row = (what: string, of: keyof Agreement, name: string): Row => {
      const { mean, error } = meanAndError(found.map((one) => one[of]))
      const unit = `rank correlation with leaving one out, mean of ${SEEDS.length} seeds ± ${error.toFixed(3)}; ${name}`
      return { what, value: mean, unit, rival: 'the least that was asked for', rivalValue: BAR, ratio: mean / BAR }
    }
    const prefix = rule === 'weightedMean' ? 'spearman' : 'spearman.reference'
    rows.push(
      row(prefix, 'paid', `what is paid, rule ${rule}`),
      row(`${prefix}.values`, 'values', 'second order, neither capped nor cut at 0'),
      row(`${prefix}.firstOrder`, 'firstOrder', 'first order'),
      row(`${prefix}.leaveOneOut`, 'leaveOneOut', "each round's own leave-one-out values"),
      row(`${prefix}.truth`, 'truth', 'the truth on half of its rows with that on the other half'),
    )
  }
  return rows
}

function economyData(images: LabelledImages): EconomyData {
  const order = shuffledNumbers(images.labels.length, 3)
  const rows = imageRows(images, order.subarray(0, 2000))
  if (rows.kind !== 'rows') throw new TypeError('images are rows')
  return {
    rows,
    reference: imageRows(images, order.subarray(2000, 2500)),
    probe: imageRows(images, order.subarray(2500, 3000)),
  }
}

const groups: Record<'copier' | 'freeRider' | 'lazy', readonly CheatKind[]> = {
  copier: ['copy', 'copyWithNoise', 'staleCopy', 'touchedUpCopy'],
  freeRider: ['nothing', 'noise', 'replay', 'replayWithNoise'],
  lazy: ['lazy'],
}

type Cell = Economy & { readonly kind: CheatKind; readonly cheats: number }

async function moneyRows(engine: Engine, data: EconomyData): Promise<Row[]> {
  const cells: Cell[] = []
  for (const kind of kinds) {
    for (const cheats of CHEATS) {
      const seen: Economy[] = []
      for (const seed of MONEY_SEEDS) seen.push(await simulateEconomy(engine, data, kind, cheats, seed))
      const mean = (pick: (one: Economy) => number): number =>
        seen.reduce((sum, one) => sum + pick(one), 0) / seen.length
      cells.push({
        ...{ kind, cheats },
        cheat: mean((one) => one.cheat),
        cheatWithoutAudits: mean((one) => one.cheatWithoutAudits),
        honest: mean((one) => one.honest),
        cheatsFound: mean((one) => one.cheatsFound),
        copiesFound: mean((one) => one.copiesFound),
        honestFound: mean((one) => one.honestFound),
      })
      console.error(JSON.stringify(cells.at(-1)))
    }
  }
  return Object.entries(groups).flatMap(([name, of]) =>
    groupRows(
      name,
      cells.filter(({ kind }) => of.includes(kind)),
    ),
  )
}

function groupRows(name: string, cells: readonly Cell[]): Row[] {
  const profitRow = (what: string, among: readonly Cell[], of: 'cheat' | 'cheatWithoutAudits'): Row => {
    const best = among.reduce((most, cell) => (cell[of] > most[of] ? cell : most))
    const share = `${(100 * best.cheats) / MEMBERS} %`
    return {
      what,
      value: best[of],
      unit: `honest rounds of computing, a member and round (simulated); best of ${new Set(among.map(({ kind }) => kind)).size} kinds: ${best.kind} at ${share}`,
      rival: 'an honest member of the same run',
      rivalValue: best.honest,
      ratio: null,
    }
  }
  const at = (cheats: number): readonly Cell[] => cells.filter((cell) => cell.cheats === cheats)
  const part = (what: string, value: number, unit: string): Row => ({
    ...{ what, value, unit },
    ...{ rival: null, rivalValue: null, ratio: null },
  })
  const least = (of: (cell: Cell) => number): number => cells.reduce((low, cell) => Math.min(low, of(cell)), 1)
  return [
    profitRow(`${name}.profit`, cells, 'cheat'),
    profitRow(`${name}.profit.withoutAudits`, cells, 'cheatWithoutAudits'),
    ...CHEATS.map((cheats) => profitRow(`${name}.profit.s${(100 * cheats) / MEMBERS}`, at(cheats), 'cheat')),
    part(
      `${name}.found`,
      least((cell) => cell.cheatsFound),
      'least part of cheats that a finding names, over all cells',
    ),
    part(
      `${name}.honestFound`,
      cells.reduce((most, cell) => Math.max(most, cell.honestFound), 0),
      'largest part of honest members that a finding names in some round',
    ),
    ...(name === 'copier'
      ? [
          part(
            'copier.likeness',
            least((cell) => (['copy', 'copyWithNoise'].includes(cell.kind) ? cell.copiesFound : 1)),
            'least part of copies of the same round, with noise or without, that likeness alone finds',
          ),
        ]
      : []),
  ]
}
