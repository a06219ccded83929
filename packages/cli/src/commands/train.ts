import { type Checkpoint, type Engine, flatModel, modelOf, plainWeights, train as trainModel } from '@potluck/engine'
import { lessonOf } from '../distillation/lessonOf.ts'
import { type FederatedWishes, partitionOf } from '../federated/settings/FederatedWishes.ts'
import { checkSameRun, encodeCheckpoint, readCheckpoint, replaceFile } from '../training/checkpointFile.ts'
import { plainConfig } from '../training/exportModel.ts'
import { finishRun, keptParameters, type TrainReport } from '../training/finishRun.ts'
import { availableBytes } from '../training/memoryLimit.ts'
import { type ExecutorChoice, openEngine } from '../training/openEngine.ts'
import { type PreparedRun, prepareRun, type RunOptions } from '../training/prepareRun.ts'
import { drawCurve } from '../training/report/drawCurve.ts'
import { RunLog } from '../training/report/RunLog.ts'
import { shownAccuracy, shownNumber, TrainingScreen } from '../training/report/TrainingScreen.ts'
import { type Run, runTraining } from '../training/runTraining.ts'
import { sampleText } from '../training/text/sampleText.ts'
import { openRunFolder, type RunLayout } from '../training/trainingFolder.ts'
import type { Printed } from './printed.ts'

/** Steps between two checkpoints, unless said otherwise. */
const CHECKPOINT_EVERY = 100

export type TrainCommandOptions = RunOptions &
  FederatedWishes & {
    readonly out: string
    /** Steps, or rounds, between two checkpoints; 0 only at the end. */
    readonly checkpointEvery?: number
    readonly resume: boolean
    readonly overwrite: boolean
    /** Stop after this step with a checkpoint. */
    readonly stopAfter?: number
    readonly executor: ExecutorChoice
    readonly threads?: number
    readonly json: boolean
  }

/** Where a command shows what happens while it runs; nothing of it belongs to its answer. */
export type LiveOutput = { readonly isTty: boolean; write(text: string): void }

const liveOf = (json: boolean): LiveOutput => {
  // With --json, standard error holds nothing but an error: a curve is shown there to people only.
  const isTty = process.stderr.isTTY === true
  return { isTty, write: (text) => (json && !isTty ? undefined : void process.stderr.write(text)) }
}

/** Trains one model on this machine and writes it as files. Throws PotluckError before anything runs where the input is bad. */
export async function train(options: TrainCommandOptions, live = liveOf(options.json)): Promise<Printed> {
  const partition = partitionOf(options)
  if (partition) return (await import('./trainFederated.ts')).trainFederated(options, partition, live)
  const available = availableBytes()
  const run = prepareRun(options, available)
  const layout = openRunFolder(options.out, options)
  for (const line of run.lines) live.write(`${line}\n`)
  const resumed = options.resume ? resumedFrom(layout, run) : undefined
  const engine = await openEngine(options.executor, options.threads)
  try {
    live.write(`${engine.executor} executor, ${engine.threads} thread${engine.threads > 1 ? 's' : ''}\n`)
    const log = new RunLog(layout.log, resumed?.step ?? 0)
    const trained = await runToEnd(engine, options, run, layout, log, resumed, live)
    if ('stoppedAt' in trained) return stopped(options, trained, run)
    const report = await finishRun(engine, run, layout, trained, log.steps)
    const lines = reportLines(report, run, trained, log)
    return { value: report, lines: options.json ? [] : [...lines, ...(await sampleLines(engine, run, trained))] }
  } finally {
    await engine.close()
  }
}

function resumedFrom(layout: RunLayout, run: PreparedRun): Checkpoint {
  const { checkpoint, identity } = readCheckpoint(layout.checkpoint)
  checkSameRun(identity, run.identity, layout.checkpoint)
  return checkpoint
}

async function runToEnd(
  engine: Engine,
  options: TrainCommandOptions,
  run: PreparedRun,
  layout: RunLayout,
  log: RunLog,
  resume: Checkpoint | undefined,
  live: LiveOutput,
): Promise<Checkpoint | { stoppedAt: number; isInterrupted: boolean }> {
  const { recipe, seed, identity, start } = run
  if (resume?.step === recipe.steps) return resume
  // A turn of the event loop between steps: Ctrl-C is heard.
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const { config, train: data, valid: validation } = await lessonOf(engine, run, pause)
  const before = log.steps.at(-1)?.seconds ?? 0
  const screen = new TrainingScreen(live.write, live.isTty, recipe.steps, log.steps)
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
  }
  process.once('SIGINT', interrupt)
  let latest: Checkpoint | undefined
  try {
    const done: Run = await runTraining(
      trainModel,
      engine,
      {
        config,
        recipe,
        data,
        validation,
        seed,
        parameters: start.parameters,
        frozen: start.frozen,
        resume,
        pause,
      },
      {
        checkpointEvery: options.checkpointEvery ?? CHECKPOINT_EVERY,
        clock: () => performance.now(),
        stopAfter: (step) => isInterrupted || step === options.stopAfter,
        onStep: (step, secondsPerStep) => {
          const all = { ...step, seconds: Math.round((before + step.seconds) * 1000) / 1000 }
          log.add(all)
          screen.add(all, secondsPerStep, performance.now())
        },
        save: (checkpoint) => {
          log.flush()
          replaceFile(layout.checkpoint, encodeCheckpoint(checkpoint, identity))
          latest = checkpoint
        },
      },
    )
    return done.isDone && latest ? latest : { stoppedAt: done.isDone ? recipe.steps : done.step, isInterrupted }
  } finally {
    process.removeListener('SIGINT', interrupt)
    screen.end()
    log.flush()
  }
}

/** A run cut short: a failure where somebody interrupted it, so that a script does not take it for done. */
const stopped = (
  { out }: TrainCommandOptions,
  { stoppedAt, isInterrupted }: { stoppedAt: number; isInterrupted: boolean },
  { recipe }: PreparedRun,
): Printed => ({
  value: { stoppedAt, steps: recipe.steps, out },
  lines: [`stopped after step ${stoppedAt} of ${recipe.steps}; the same command with --resume goes on from there`],
  failed: isInterrupted,
})

function reportLines(report: TrainReport, { data, recipe }: PreparedRun, { best }: Checkpoint, log: RunLog): string[] {
  const validation = log.steps.flatMap(({ step, valid }) => (valid ? [{ step, loss: valid.loss }] : []))
  const shown = (name: string, { loss, accuracy }: { loss: number; accuracy: number | null }, n = ''): string =>
    `${name} loss ${shownNumber(loss)}${shownAccuracy(accuracy)}${inUnit(loss, data.unit)}${n}`
  return [
    ...drawCurve(
      log.steps.map(({ loss }) => loss),
      validation,
    ),
    `trained ${report.steps} steps in ${report.seconds.toFixed(1)} s; training loss ${shownNumber(report.train.loss)} over the last steps`,
    ...(best && best.step !== recipe.steps
      ? [`kept the parameters of step ${best.step}, the best on validation data`]
      : []),
    shown('validation', report.valid),
    ...(report.test ? [shown('test', report.test, `, ${report.test.n} never trained on`)] : []),
    ...comparisonLines(report),
    `state ${report.stateHash}`,
    ...report.files.map((file) => `wrote ${file}`),
  ]
}

/** A student beside its teacher and beside itself without one. */
function comparisonLines({ distillation, kind, params, valid, test }: TrainReport): string[] {
  if (!distillation) return []
  const { teacher, labelsAlone } = distillation
  const share = ({ accuracy }: { accuracy: number | null }): string => `${(100 * (accuracy ?? 0)).toFixed(2)} %`
  const right = (seen: Pick<TrainReport, 'valid' | 'test'>): string =>
    `${share(seen.valid)} of validation rows right${seen.test ? `, ${share(seen.test)} of test rows` : ''}`
  return [
    `teacher: ${teacher.kind}, ${teacher.params} parameters, ${right(teacher)}`,
    `student: ${kind}, ${params} parameters, ${right({ valid, test })}`,
    ...(labelsAlone ? [`the same student on labels alone: ${right(labelsAlone)}`] : []),
  ]
}

/** What a model of a text writes now. */
async function sampleLines(
  engine: Engine,
  { config, model, data, seed, start }: PreparedRun,
  trained: Checkpoint,
): Promise<string[]> {
  if (!data.text) return []
  const { parameters } = flatModel(
    modelOf(plainConfig(config)),
    plainWeights(model, keptParameters(trained), start.frozen),
  )
  const lines = await sampleText(engine, plainConfig(config), parameters, data.text, seed)
  return ['', 'it writes:', ...lines.map((line) => `  ${line}`)]
}

/** A mean squared error of standardised numbers, as a person reads it. */
const inUnit = (loss: number, unit: { name: string; deviation: number } | undefined): string =>
  unit === undefined
    ? ''
    : `, off by ${shownNumber(Math.sqrt(loss) * unit.deviation)} ${unit.name} (root mean square), ${(100 * (1 - loss)).toFixed(1)} % of its variance explained`
