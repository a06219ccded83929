import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { attackSuite, parseAttack } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import { Screen } from '../demo/Screen.ts'
import type { AttackGround } from '../federated/attack/AttackGround.ts'
import { attackLines, attackReport, shownPercent } from '../federated/attack/attackReport.ts'
import { federationGround } from '../federated/attack/federationGround.ts'
import { jobGround } from '../federated/attack/jobGround.ts'
import { RESISTANCE_FILE } from '../federated/attack/resistanceFacts.ts'
import type { StoredResistance } from '../federated/attack/resistanceFile.ts'
import type { UnderAttack } from '../federated/attack/runUnderAttack.ts'
import { type PreparedFederation, prepareFederated } from '../federated/prepareFederated.ts'
import { replaceResistance } from '../federated/report/resistanceSection.ts'
import { settingHash } from '../federated/runFile.ts'
import { replaceFile } from '../training/checkpointFile.ts'
import { availableBytes } from '../training/memoryLimit.ts'
import { type ExecutorChoice, openEngine } from '../training/openEngine.ts'
import { seedBytes } from '../training/prepareRun.ts'
import { layoutOfRun } from '../training/trainingFolder.ts'
import type { Printed } from './printed.ts'
import { type AttackGiven, type AttackTarget, settleAttack } from './settleAttack.ts'
import type { LiveOutput } from './train.ts'

export type AttackCommandOptions = {
  /** Folder of a run, or a job file; the data is named by options when left out. */
  readonly subject?: string | undefined
  /** Options of data and setting that stand on the command line; none that was filled in. */
  readonly given: AttackGiven
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

const liveOf = (json: boolean): LiveOutput => {
  const isTty = process.stderr.isTTY === true
  return { isTty, write: (text) => (json && !isTty ? undefined : void process.stderr.write(text)) }
}

/** Trains once for each attack, and once without any, on the user's own data. Throws PotluckError before anything runs where the input is bad. */
export async function attack(options: AttackCommandOptions, live = liveOf(options.json)): Promise<Printed> {
  const target = settleAttack(options.subject, options.given)
  const first = target.kind === 'job' ? (options.given.seed ?? 1) : target.options.seed
  const seeds = Array.from({ length: options.repeats }, (_, i) => first + i)
  const grounds = groundsOf(target, seeds)
  const [ground] = grounds
  if (!ground) throw new PotluckError('BAD_USAGE', '--repeats must be at least 1')
  const liars = liarsOf(options.attackers, ground.clients)
  const attacks =
    options.attacks.length === 0
      ? attackSuite(ground.backdoor)
      : options.attacks.map((name) => parseAttack(name, ground.backdoor))
  for (const line of ground.lines) live.write(`${line}\n`)
  const warning = ground.warning(liars)
  if (warning !== null) live.write(`warning: ${warning}\n`)

  const engine = await openEngine(options.executor, options.threads)
  const screen = new Screen(live.write, live.isTty)
  const outcomes = new Map<string, UnderAttack[]>()
  try {
    for (const [repeat, each] of grounds.entries()) {
      const cells = [each.clean, each.unattacked, ...attacks.map((one) => each.attacked(one, liars))]
      for (const [c, cell] of cells.entries()) {
        const place = `training ${repeat * cells.length + c + 1} of ${grounds.length * cells.length}`
        const outcome = await cell.run(engine, (round) =>
          screen.live(`${place}, ${cell.name}: round ${round} of ${cell.rounds}`),
        )
        screen.fact(
          `${cell.name}: ${shownPercent(outcome.accuracy)} right${outcome.failed ? ', ran beyond all numbers' : ''}`,
        )
        outcomes.set(cell.name, [...(outcomes.get(cell.name) ?? []), outcome])
      }
    }
  } finally {
    await engine.close()
  }
  const report = attackReport({ ground, attacks, liars, seeds, outcomes, warning })
  const files = store(report, target, options.out)
  const kept = notKept(target, options)
  return {
    value: report,
    lines: options.json
      ? []
      : [...attackLines(report, ground), ...files.map((file) => `wrote ${file}`), ...(kept === null ? [] : [kept])],
  }
}

/** One setting with each seed. Throws DATA_CHANGED where a run's files are not those it was trained on. */
function groundsOf(target: AttackTarget, seeds: readonly number[]): AttackGround[] {
  if (target.kind === 'job') return seeds.map((seed) => jobGround({ ...target.setting, seed: seedBytes(seed) }))
  const { options, how, own } = target
  const preparedWith = (seed: number): PreparedFederation =>
    prepareFederated({ ...options, seed }, how, availableBytes())
  const prepared = seeds.map(preparedWith)
  if (own) {
    const same = prepared[seeds.indexOf(own.recorded.seed)] ?? preparedWith(own.recorded.seed)
    if (same.file.dataHash !== own.recorded.dataHash) {
      const message = `the files that ${own.folder} was trained on are not the same any more, so a record would not be of its model: train it once more, or name the data on the command line`
      throw new PotluckError('DATA_CHANGED', message, { folder: own.folder })
    }
  }
  // Another seed is the same setting.
  const setting = own && settingHash(own.recorded)
  return prepared.map((one) => ({ ...federationGround(one), ...(setting ? { setting } : {}) }))
}

function liarsOf(share: number, clients: number): number {
  const liars = Math.floor(share * clients)
  if (liars >= 1 && liars < clients) return liars
  const message = `--attackers ${share} of ${clients} clients are ${liars}: take a share that leaves liars and honest ones`
  throw new PotluckError('BAD_USAGE', message, { liars })
}

/** Writes the record where it was asked for, and beside the model whose setting it is of, with the report's section anew. */
function store(report: StoredResistance, target: AttackTarget, out: string | undefined): string[] {
  const text = `${JSON.stringify(report, null, 2)}\n`
  const files: string[] = []
  if (out !== undefined) {
    writeFileSync(out, text)
    files.push(out)
  }
  if (target.kind === 'job' || target.own === undefined) return files
  const layout = layoutOfRun(target.own.folder)
  replaceFile(layout.in(RESISTANCE_FILE), text)
  files.push(layout.in(RESISTANCE_FILE))
  const page = layout.in('report.html')
  const html = existsSync(page) ? replaceResistance(readFileSync(page, 'utf8'), { record: report, how: '' }) : undefined
  if (html !== undefined) {
    replaceFile(page, html)
    files.push(page)
  }
  return files
}

/** Why a record does not stand beside the model that was named; null where it does, or no model was. */
function notKept(target: AttackTarget, { subject, given }: AttackCommandOptions): string | null {
  if (subject === undefined || target.kind === 'job' || target.own !== undefined) return null
  const changed = Object.keys(given).map(
    (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  )
  return `not kept in ${subject}: ${changed.join(', ')} make${changed.length === 1 ? 's' : ''} it another setting than that of its model`
}
