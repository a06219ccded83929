import { PotluckError } from '@potluck/protocol'

/** What one attack did, over seeds. Accuracies and rates are from 0 to 1. */
export type PoisoningCell = {
  /** As `attackText` writes it. */
  readonly attack: string
  /** Final accuracy of each seed. */
  readonly accuracies: readonly number[]
  /** Of a backdoor: how often triggered rows went where it wanted, of each seed. */
  readonly backdoorSuccess?: readonly number[]
}

/** How well a model's training stands lies; stored with the model. */
export type PoisoningResistance = {
  readonly version: 1
  /** As JSON of the rule and compression. */
  readonly rule: string
  readonly compression: string
  /** Share of the members that lie. */
  readonly attackers: number
  readonly seeds: readonly number[]
  /** The plain mean of the same members with nobody lying; its backdoor success is that of a model nobody attacked. */
  readonly clean: PoisoningCell
  readonly cells: readonly PoisoningCell[]
  /** 0 to 1. */
  readonly score: number
  /** The attack that decided it. */
  readonly worst: string
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * One number for a grid of attacks (L-39):
 *
 *   score = max(0, min over attacks of min(1, accuracy / clean accuracy) − max over backdoors of max(0, success − clean success))
 *
 * each a mean over seeds. 1: no attack tried cost anything. It speaks of these attacks, share and data only; an attack not tried may do
 * worse.
 *
 * @throws PotluckError BAD_GRID when there is no attack, a cell has another number of seeds, or a rate lies outside 0 to 1
 */
export function poisoningResistance(
  grid: Omit<PoisoningResistance, 'version' | 'score' | 'worst'>,
): PoisoningResistance {
  checkGrid(grid)
  const clean = meanOf(grid.clean.accuracies)
  const kept = grid.cells.map(({ attack, accuracies }) => ({ attack, share: Math.min(1, meanOf(accuracies) / clean) }))
  const least = kept.reduce((worst, cell) => (cell.share < worst.share ? cell : worst))
  const usual = grid.clean.backdoorSuccess ? meanOf(grid.clean.backdoorSuccess) : 0
  const opened = grid.cells.flatMap(({ attack, backdoorSuccess }) =>
    backdoorSuccess ? [{ attack, excess: Math.max(0, meanOf(backdoorSuccess) - usual) }] : [],
  )
  const widest = opened.reduce((worst, cell) => (cell.excess > worst.excess ? cell : worst), { attack: '', excess: 0 })
  return {
    version: 1,
    ...grid,
    score: Math.max(0, least.share - widest.excess),
    worst: widest.excess > 1 - least.share ? widest.attack : least.attack,
  }
}

/** A stored record, with every number checked and the score computed anew. Throws BAD_GRID. */
export function checkPoisoningResistance(record: PoisoningResistance): PoisoningResistance {
  const { version, score, worst, ...grid } = record
  const again = poisoningResistance(grid)
  if (version === 1 && again.score === score && again.worst === worst) return record
  throw badGrid(
    `a record of version ${version} says score ${score}, worst ${worst}; its cells give ${again.score}, ${again.worst}`,
  )
}

function checkGrid({ seeds, clean, cells, attackers }: Omit<PoisoningResistance, 'version' | 'score' | 'worst'>): void {
  if (cells.length === 0 || seeds.length === 0) throw badGrid('a grid needs at least one attack and one seed')
  if (!(attackers > 0 && attackers < 1)) throw badGrid(`attackers must be a share between 0 and 1, got ${attackers}`)
  for (const { attack, accuracies, backdoorSuccess = accuracies } of [clean, ...cells]) {
    for (const values of [accuracies, backdoorSuccess]) {
      if (values.length !== seeds.length)
        throw badGrid(`${attack} has ${values.length} results for ${seeds.length} seeds`)
      const bad = values.find((value) => !(value >= 0 && value <= 1))
      if (bad !== undefined) throw badGrid(`${attack} has a rate of ${bad}, expected 0 to 1`)
    }
  }
  if (meanOf(clean.accuracies) === 0) throw badGrid('without attack the accuracy is 0: nothing can be lost')
}

const badGrid = (message: string): PotluckError => new PotluckError('BAD_GRID', message)
