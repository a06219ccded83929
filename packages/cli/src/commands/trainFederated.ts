import type { BestState, Checkpoint, Engine } from '@potluck/engine'
import { type FederatedCheckpoint, type FederatedOptions, federate, type Partition } from '@potluck/learning'
import { PotluckError, resistanceText } from '@potluck/protocol'
import { resistanceNoteOf } from '../federated/attack/resistanceFile.ts'
import { contributionScorer } from '../federated/contributionScorer.ts'
import { asCheckpoint, fromCheckpoint } from '../federated/federatedCheckpoint.ts'
import { type FederatedReport, finishFederated } from '../federated/finishFederated.ts'
import { openPrivacy, type PrivacySpent } from '../federated/PrivacySpent.ts'
import { type PreparedFederation, prepareFederated, unitOf } from '../federated/prepareFederated.ts'
import { protocolSum } from '../federated/protocolSum.ts'
import { RoundLog } from '../federated/RoundLog.ts'
import { RoundScreen } from '../federated/RoundScreen.ts'
import { backdoorText } from '../federated/report/attackSection.ts'
import { percent, shortNumber, wireSize } from '../federated/report/markup.ts'
import { type FederatedRun, runFederated } from '../federated/runFederated.ts'
import { runFileText } from '../federated/runFile.ts'
import { checkSameRun, encodeCheckpoint, readCheckpoint, replaceFile } from '../training/checkpointFile.ts'
import { availableBytes } from '../training/memoryLimit.ts'
import { openEngine } from '../training/openEngine.ts'
import type { PreparedRun } from '../training/prepareRun.ts'
import { drawCurve } from '../training/report/drawCurve.ts'
import { shownAccuracy, shownNumber } from '../training/report/TrainingScreen.ts'
import { openRunFolder, type RunLayout } from '../training/trainingFolder.ts'
import type { Printed } from './printed.ts'
import type { LiveOutput, TrainCommandOptions } from './train.ts'

/** A state up to this size is saved after every round, a larger one after every tenth. */
const SMALL_STATE_BYTES = 2 ** 24

/** Trains one model among clients on this machine and writes it as files. Throws PotluckError before anything runs where the input is bad. */
export async function trainFederated(options: TrainCommandOptions, how: Partition, live: LiveOutput): Promise<Printed> {
  const prepared = prepareFederated(options, how, availableBytes())
  const layout = openRunFolder(options.out, options)
  for (const line of prepared.run.lines) live.write(`${line}\n`)
  const resumed = options.resume ? resumedFrom(layout, prepared) : undefined
  replaceFile(layout.in('run.json'), runFileText(prepared.file))
  const spent = openPrivacy(prepared.options, options, resumed?.state.round ?? 0)
  const engine = await openEngine(options.executor, options.threads)
  try {
    live.write(`${engine.executor} executor, ${engine.threads} thread${engine.threads > 1 ? 's' : ''}\n`)
    const log = new RoundLog(layout.log, layout.in('tensorboard'), resumed?.state.round ?? 0, Date.now() / 1000)
    const { run, isInterrupted } = await runToEnd(engine, options, prepared, layout, log, resumed, spent, live)
    if (!run.isDone) return stopped(options, run.round, prepared, isInterrupted)
    const report = await finishFederated(
      engine,
      prepared,
      layout,
      run,
      log.rounds,
      spent?.facts(prepared.run.plan.parameters) ?? null,
    )
    return { value: report, lines: options.json ? [] : reportLines(report, log, unitOf(prepared.run.data.shape)) }
  } finally {
    await engine.close()
  }
}

const scorerOf = (engine: Engine, options: FederatedOptions, { model }: PreparedRun) =>
  contributionScorer(engine, options, model.sample.kind === 'rows' ? model.sample.inputs : 1)

type Resumed = { readonly state: FederatedCheckpoint; readonly best: BestState | null }

/** Throws BAD_CHECKPOINT for another run's, or one that is further than the run shall go. */
function resumedFrom(layout: RunLayout, { run, options: { rounds } }: PreparedFederation): Resumed {
  const { checkpoint, identity } = readCheckpoint(layout.checkpoint)
  checkSameRun(identity, run.identity, layout.checkpoint)
  if (checkpoint.step > rounds) {
    const message = `${layout.checkpoint} is of round ${checkpoint.step}, --rounds says ${rounds}: say ${checkpoint.step} or more`
    throw new PotluckError('BAD_CHECKPOINT', message, { file: layout.checkpoint, round: checkpoint.step })
  }
  return { state: fromCheckpoint(checkpoint, run.plan.parameters, layout.checkpoint), best: checkpoint.best }
}

async function runToEnd(
  engine: Engine,
  options: TrainCommandOptions,
  { run, options: federated }: PreparedFederation,
  layout: RunLayout,
  log: RoundLog,
  resumed: Resumed | undefined,
  spent: PrivacySpent | undefined,
  live: LiveOutput,
): Promise<{ run: FederatedRun; isInterrupted: boolean }> {
  if (resumed && resumed.state.round >= federated.rounds) {
    return { run: { ...resumed, isDone: true, round: resumed.state.round }, isInterrupted: false }
  }
  const screen = new RoundScreen(live, process.stderr.columns || 100, federated.rounds, log.rounds)
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
  }
  process.once('SIGINT', interrupt)
  try {
    const done = await runFederated(
      federate,
      engine,
      {
        ...federated,
        ...(federated.masks ? { masks: { ...federated.masks, sum: await protocolSum(run.seed) } } : {}),
        resume: resumed?.state,
        // A turn of the event loop between clients: Ctrl-C is heard.
        pause: () => new Promise((resolve) => setImmediate(resolve)),
      },
      resumed?.best ?? null,
      {
        checkpointEvery: options.checkpointEvery ?? (4 * run.plan.parameters * 4 < SMALL_STATE_BYTES ? 1 : 10),
        stopAfter: (round) => isInterrupted || round === options.stopAfter,
        onRound: (round, secondsPerRound) => {
          log.add(round)
          screen.add(round, secondsPerRound)
        },
        save: (state, best) => {
          const checkpoint: Checkpoint = asCheckpoint(state, best, run.seed, run.identity)
          replaceFile(layout.checkpoint, encodeCheckpoint(checkpoint, run.identity))
        },
        scorer: await scorerOf(engine, federated, run),
        spend: (members) => spent?.add(members),
        clock: () => performance.now(),
        now: () => Date.now() / 1000,
        secondsBefore: log.rounds.at(-1)?.seconds ?? 0,
      },
    )
    return { run: done, isInterrupted }
  } finally {
    process.removeListener('SIGINT', interrupt)
    screen.end()
  }
}

/** A run cut short: a failure where somebody interrupted it, so that a script does not take it for done. */
const stopped = (
  { out }: TrainCommandOptions,
  stoppedAt: number,
  { options }: PreparedFederation,
  isInterrupted: boolean,
): Printed => ({
  value: { stoppedAt, rounds: options.rounds, out },
  lines: [`stopped after round ${stoppedAt} of ${options.rounds}; the same command with --resume goes on from there`],
  failed: isInterrupted,
})

/** Clients with heads of their own beside one model for all. */
function personalLines({ personal }: FederatedReport): string[] {
  if (!personal) return []
  const { own, meanHead, common } = personal
  const shown = ({ loss, accuracy }: { loss: number; accuracy: number | null }): string =>
    `loss ${shownNumber(loss)}${shownAccuracy(accuracy)}`
  return [
    `on ${own.n} rows of the clients' own that none trained on:`,
    `  each with its own head: ${shown(own)}`,
    ...(common ? [`  one model for all, trained with the same settings: ${shown(common)}`] : []),
    meanHead
      ? `  the model that was written, with the mean of the heads: ${shown(meanHead)}`
      : '  the model that was written has an untrained last layer: noise hides no head, so none is in it',
  ]
}

const resistanceLine = ({ record, how }: FederatedReport['resistance']): string =>
  `poisoning resistance: ${resistanceText(record && resistanceNoteOf(record))}${record ? '' : `; ${how}`}`

/** Clients named one by one; more would fill the screen, and stand in the report. */
const MOST_CLIENTS = 12

function reportLines(report: FederatedReport, { rounds }: RoundLog, unit: string): string[] {
  const { bytes, contribution } = report
  const validation = rounds.flatMap(({ round, valid }) => (valid ? [{ step: round, loss: valid.loss }] : []))
  const shown = (name: string, { loss, accuracy }: { loss: number; accuracy: number | null }, n = ''): string =>
    `${name} loss ${shownNumber(loss)}${shownAccuracy(accuracy)}${n}`
  return [
    ...drawCurve(
      rounds.map(({ loss }) => loss),
      validation,
    ).map((line) => line.replace('1 step', '1 round').replace(/ step (\d+)/, ' round $1')),
    `trained ${report.rounds} rounds of ${report.localSteps} steps with ${report.clients} clients in ${report.seconds.toFixed(1)} s`,
    ...(report.bestRound === report.rounds
      ? []
      : [`kept the model of round ${report.bestRound}, the best on validation data`]),
    shown(report.personal ? 'validation, of the model that was written,' : 'validation', report.valid),
    ...(report.test ? [shown('test', report.test, `, ${report.test.n} never trained on`)] : []),
    ...personalLines(report),
    `sent ${wireSize(bytes.up)} up and ${wireSize(bytes.down)} down; synchronous f32 would have sent ${wireSize(bytes.synchronousUp)} up, ${shortNumber(bytes.ratio)} times as much`,
    ...(report.privacy
      ? [
          `privacy spent: ε ${shortNumber(report.privacy.epsilon)} at δ ${report.privacy.delta}`,
          ...report.privacy.words.map((words) => `  ${words}`),
        ]
      : []),
    ...(report.attack?.backdoor ? [backdoorText(report.attack.backdoor)] : []),
    resistanceLine(report.resistance),
    ...contribution
      .slice(0, MOST_CLIENTS)
      .map(
        ({ client, size, weight, isAttacker }) =>
          `  ${client}: ${size} ${unit}, mean weight ${percent(weight)}${isAttacker ? ', an attacker' : ''}`,
      ),
    ...(contribution.length > MOST_CLIENTS ? [`  and ${contribution.length - MOST_CLIENTS} more`] : []),
    `state ${report.stateHash}`,
    ...report.files.map((file) => `wrote ${file}`),
  ]
}
