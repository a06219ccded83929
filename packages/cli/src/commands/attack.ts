import { writeFileSync } from 'node:fs'
import {
  type Attack,
  attackSuite,
  attackText,
  checkRule,
  drawMembers,
  type FederatedOptions,
  type PoisoningCell,
  type PoisoningResistance,
  parseAttack,
  parsePartition,
  poisoningResistance,
} from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import { Screen, table } from '../demo/Screen.ts'
import { runUnderAttack, type UnderAttack } from '../federated/attack/runUnderAttack.ts'
import { triggerOf } from '../federated/attack/triggerOf.ts'
import { type PreparedFederation, prepareFederated } from '../federated/prepareFederated.ts'
import { availableBytes } from '../training/memoryLimit.ts'
import { type ExecutorChoice, openEngine } from '../training/openEngine.ts'
import type { RunOptions } from '../training/prepareRun.ts'
import type { Printed } from './printed.ts'
import type { LiveOutput } from './train.ts'

export type AttackCommandOptions = RunOptions & {
  readonly clients: number
  readonly partition: string
  readonly rounds?: number
  readonly localSteps?: number
  readonly rule: string
  readonly reference?: number
  readonly compress: string
  /** Share of the clients that lie. */
  readonly attackers: number
  /** Names as `parseAttack` reads them; the whole suite when empty. */
  readonly attacks: readonly string[]
  /** Trainings of each cell, each with a seed of its own. */
  readonly repeats: number
  /** File to write the record to. */
  readonly out?: string
  readonly executor: ExecutorChoice
  readonly threads?: number
  readonly json: boolean
}

/** What the command prints with `--json`: the record, and what is worth knowing beside it. */
export type AttackReport = PoisoningResistance & {
  readonly clients: number
  readonly liars: number
  readonly rounds: number
  /** The rule itself with nobody lying. */
  readonly unattacked: PoisoningCell
  /** By attack: part of the honest updates without any weight, mean over repeats. */
  readonly zeroed: Readonly<Record<string, number>>
  /** Why the rule is known to fail here; null where it is not. */
  readonly warning: string | null
}

const liveOf = (json: boolean): LiveOutput => {
  const isTty = process.stderr.isTTY === true
  return { isTty, write: (text) => (json && !isTty ? undefined : void process.stderr.write(text)) }
}

/** One training of the grid. */
type Cell = { readonly name: string; readonly options: FederatedOptions }

/** Trains once for each attack, and once without any, on the user's own data. Throws PotluckError before anything runs where the input is bad. */
export async function attack(options: AttackCommandOptions, live = liveOf(options.json)): Promise<Printed> {
  const how = parsePartition(options.partition)
  const prepared = Array.from({ length: options.repeats }, (_, i) => {
    const wishes = { ...options, attackers: undefined, seed: options.seed + i }
    return prepareFederated(wishes, how, availableBytes())
  })
  const [first] = prepared
  if (!first) throw new PotluckError('BAD_USAGE', '--repeats must be at least 1')
  const { clients } = first.options
  const liars = Math.floor(options.attackers * clients.length)
  if (liars < 1 || liars >= clients.length) {
    const message = `--attackers ${options.attackers} of ${clients.length} clients are ${liars}: take a share that leaves liars and honest ones`
    throw new PotluckError('BAD_USAGE', message, { liars })
  }
  const backdoor = triggerOf(first.run.data)
  if (first.run.model.target.kind !== 'classes') {
    throw new PotluckError('BAD_USAGE', 'the score compares shares of right answers: a number to predict has none')
  }
  const attacks =
    options.attacks.length === 0 ? attackSuite(backdoor) : options.attacks.map((name) => parseAttack(name, backdoor))
  for (const line of first.run.lines) live.write(`${line}\n`)
  const warning = warningOf(first.options, liars)
  if (warning !== null) live.write(`warning: ${warning}\n`)

  const engine = await openEngine(options.executor, options.threads)
  const screen = new Screen(live.write, live.isTty)
  const outcomes = new Map<string, UnderAttack[]>()
  try {
    for (const [repeat, each] of prepared.entries()) {
      const cells = cellsOf(each, attacks, liars)
      for (const [c, cell] of cells.entries()) {
        const { rounds } = cell.options
        const place = `training ${repeat * cells.length + c + 1} of ${prepared.length * cells.length}`
        const outcome = await runUnderAttack(engine, cell.options, backdoor, (round) =>
          screen.live(`${place}, ${cell.name}: round ${round} of ${rounds}`),
        )
        screen.fact(
          `${cell.name}: ${percent(outcome.accuracy)} right${outcome.failed ? ', ran beyond all numbers' : ''}`,
        )
        outcomes.set(cell.name, [...(outcomes.get(cell.name) ?? []), outcome])
      }
    }
  } finally {
    await engine.close()
  }
  const report = reportOf(options, first, attacks, liars, outcomes, warning)
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(report, null, 2)}\n`)
  return { value: report, lines: options.json ? [] : linesOf(report, options.out) }
}

const CLEAN = 'plain mean, nobody lies'
const UNATTACKED = 'this rule, nobody lies'

/** The plain mean without liars, the rule without liars, and the rule against each attack: same clients, seeds and rows. */
function cellsOf({ options }: PreparedFederation, attacks: readonly Attack[], liars: number): Cell[] {
  const of = drawMembers(options.seed, 0, options.clients.length, liars)
  const clean: FederatedOptions = {
    ...options,
    rule: { kind: 'mean' },
    compression: { kind: 'f32' },
    reference: undefined,
  }
  return [
    { name: CLEAN, options: clean },
    { name: UNATTACKED, options },
    ...attacks.map((attack) => ({ name: attackText(attack), options: { ...options, attackers: { of, attack } } })),
  ]
}

function warningOf({ rule, compression, perRound, reference }: FederatedOptions, liars: number): string | null {
  try {
    const setting = { members: perRound ?? 1, compression: compression ?? { kind: 'f32' as const }, attackers: liars }
    checkRule(rule ?? { kind: 'weightedMean' }, { ...setting, hasReference: reference !== undefined })
    return null
  } catch (error) {
    // Known to fail is no reason not to try it here: that is what the command is for.
    return error instanceof Error ? error.message : String(error)
  }
}

function reportOf(
  options: AttackCommandOptions,
  { options: federated }: PreparedFederation,
  attacks: readonly Attack[],
  liars: number,
  outcomes: ReadonlyMap<string, readonly UnderAttack[]>,
  warning: string | null,
): AttackReport {
  const cellOf = (name: string, attack = name): PoisoningCell => {
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
    rule: JSON.stringify(federated.rule),
    compression: JSON.stringify(federated.compression),
    attackers: liars / federated.clients.length,
    seeds: Array.from({ length: options.repeats }, (_, i) => options.seed + i),
    clean: cellOf(CLEAN, 'none'),
    cells: names.map((name) => cellOf(name)),
  })
  return {
    ...record,
    clients: federated.clients.length,
    liars,
    rounds: federated.rounds,
    unattacked: cellOf(UNATTACKED, 'none'),
    zeroed: Object.fromEntries(
      [UNATTACKED, ...names].map((name) => [
        name === UNATTACKED ? 'none' : name,
        mean((outcomes.get(name) ?? []).map(({ zeroed }) => zeroed)),
      ]),
    ),
    warning,
  }
}

function linesOf(report: AttackReport, out: string | undefined): string[] {
  const clean = mean(report.clean.accuracies)
  const row = (name: string, { accuracies, backdoorSuccess }: PoisoningCell, zeroed: number | undefined): string[] => [
    name,
    percent(mean(accuracies)),
    percent(mean(accuracies) / clean),
    zeroed === undefined ? '' : percent(zeroed),
    backdoorSuccess ? percent(mean(backdoorSuccess)) : '',
  ]
  return [
    ...table([
      [`${report.liars} of ${report.clients} lie`, 'right', 'of clean', 'honest unheard', 'triggered'],
      row(CLEAN, report.clean, undefined),
      row(UNATTACKED, report.unattacked, report.zeroed.none),
      ...report.cells.map((cell) => row(cell.attack, cell, report.zeroed[cell.attack])),
    ]),
    '',
    `poisoning resistance ${report.score.toFixed(3)} of 1, decided by ${report.worst}; it speaks of these attacks on this data only`,
    ...(report.warning === null ? [] : [`warning: ${report.warning}`]),
    ...(out === undefined ? [] : [`wrote ${out}`]),
  ]
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
const percent = (rate: number): string => `${(100 * rate).toFixed(2)} %`
