/**
 * Flower's table of non-IID partitions (baselines/niid_bench, after arXiv:2102.02079), its FedAvg column for MNIST, beside ours: 10 clients,
 * 50 rounds of 10 local epochs, one seed. Hours of one core, so it runs in slices: after every round the model goes to a file, and the
 * accuracies to `bench/results/published-images.json`, from which the rows are made.
 *
 *   node bench/src/learning/publishedImages.ts ROUNDS [iid|dirichlet:0.5|labels:2]     runs so many further rounds
 *
 * As there: batches of 64, SGD at 0.01 with momentum 0.9 that starts afresh each round, weight decay 1e-5, pixels in [0, 1], the mean
 * weighed by rows, accuracy on the 10,000 test images. Otherwise than there: an epoch's last batch is filled from the next epoch; a
 * Dirichlet draw is used as it is (there a client that has its fair share gets nothing more of the classes to come); our own start.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import {
  type CnnConfig,
  type Engine,
  initialModelParameters,
  modelOf,
  prepareEvaluation,
  type TrainingData,
  type TrainingRecipe,
} from '@potluck/engine'
import {
  applyRule,
  federatedSeed,
  localTrainer,
  type Partition,
  parsePartition,
  partitionRows,
  partitionText,
  selectRows,
} from '@potluck/learning'
import { PotluckError, sha256, utf8 } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import type { Row } from '../Row.ts'
import { imageRows, readImages } from './benchData.ts'

const CLIENTS = 10
const ROUNDS = 50
const EPOCHS = 10
const BATCH = 64

/** FedAvg's accuracy there in per cent: mean and deviation over its seeds. */
const published = [
  { partition: 'iid', mean: 99.09, deviation: 0.05 },
  { partition: 'dirichlet:0.5', mean: 98.89, deviation: 0.07 },
  { partition: 'labels:2', mean: 96.86, deviation: 0.3 },
] as const

const config: CnnConfig = {
  kind: 'cnn',
  height: 28,
  width: 28,
  channels: 1,
  classes: 10,
  convolutions: [
    { channels: 6, kernel: 5, stride: 1, padding: 0, pool: 2 },
    { channels: 16, kernel: 5, stride: 1, padding: 0, pool: 2 },
  ],
  hidden: [120, 84],
}
const seed = sha256(utf8('potluck bench published images 1'))

/** What was measured of one partition, round by round. */
type Progress = {
  readonly accuracy: number[] /** Of one core, not of the clock: others may use the machine. */
  cpuSeconds: number
}
type AllProgress = { [partition: string]: Progress }

const resultFile = new URL('../../results/published-images.json', import.meta.url)
/** Models between two slices, kept with the results so that any machine can go on; without them a run starts anew. */
const stateFolder = new URL('../../results/parts/', import.meta.url)

const readProgress = (): AllProgress =>
  existsSync(resultFile) ? (JSON.parse(readFileSync(resultFile, 'utf8')) as AllProgress) : {}

/** The rows of what has been run so far; a partition not finished says in which round it is. */
export async function publishedImageRows(): Promise<Row[]> {
  const all = readProgress()
  return published.flatMap(({ partition, mean, deviation }): Row[] => {
    const { accuracy, cpuSeconds } = all[partition] ?? { accuracy: [], cpuSeconds: 0 }
    const done = accuracy.length
    const state = done >= ROUNDS ? '' : `, UNFINISHED: round ${done} of ${ROUNDS}`
    const last = 100 * (accuracy.at(-1) ?? 0)
    const left = done === 0 ? Number.NaN : (cpuSeconds / done) * (ROUNDS - done)
    return [
      {
        what: `mnist.${partition}.fedavg${state}`,
        value: Math.round(100 * last) / 100,
        unit: '% right, measured',
        rival: `Flower niid_bench, 50 rounds, ± ${deviation}`,
        rivalValue: mean,
        ratio: done === 0 ? null : last / mean,
      },
      ...(done > 0 && done < ROUNDS
        ? [{ what: `mnist.${partition}.left`, value: left / 3_600, unit: 'h of one core, extrapolated', ...noRival }]
        : []),
    ]
  })
}

const noRival = { rival: null, rivalValue: null, ratio: null } as const

/** Runs `rounds` further rounds of one partition and keeps what came of them. */
export async function runPublishedImages(engine: Engine, how: Partition, rounds: number): Promise<void> {
  const name = partitionText(how)
  const images = readImages('mnist.train')
  const labels = Int32Array.from(images.labels)
  const all = imageRows(
    images,
    Uint32Array.from(labels, (_, i) => i),
  )
  if (all.kind !== 'rows') throw new PotluckError('BAD_DATA', 'images are rows')
  const parts = partitionRows(labels, CLIENTS, how, seed)
  const clients = parts.map((rows, c) => ({
    id: `client-${c}`,
    size: rows.length,
    data: selectRows(all, rows, labels.length),
  }))
  const stepsOf = ({ size }: { size: number }): number => Math.max(1, Math.round((EPOCHS * size) / BATCH))
  const model = modelOf(config)
  const recipe: TrainingRecipe = {
    steps: Math.max(...clients.map(stepsOf)),
    batch: BATCH,
    optimizer: { kind: 'sgd', momentum: 0.9 },
    learningRate: 0.01,
    weightDecay: 1e-5,
  }
  const trainer = await localTrainer(engine, model, recipe)
  const evaluate = await prepareEvaluation(engine, model, testImages(), undefined)
  const progress = readProgress()
  const mine = startOrResume(progress, name)
  let parameters = mine.parameters ?? initialModelParameters(model, seed)
  for (let i = 0; i < rounds && mine.progress.accuracy.length < ROUNDS; i++) {
    const round = mine.progress.accuracy.length + 1
    const [startMs, startCpu] = [performance.now(), process.cpuUsage()]
    const updates: Float32Array[] = []
    for (const client of clients) {
      const task = { base: parameters, data: client.data, seed: federatedSeed(seed, round, client.id) }
      updates.push((await trainer.train({ ...task, steps: stepsOf(client) })).update)
    }
    const { update } = applyRule({ kind: 'weightedMean' }, { updates, sizes: clients.map(({ size }) => size), seed })
    parameters = parameters.map((before, at) => before - update[at]!)
    const { accuracy } = await evaluate(parameters)
    mine.progress.accuracy.push(accuracy ?? 0)
    const { user, system } = process.cpuUsage(startCpu)
    mine.progress.cpuSeconds += Math.round((user + system) / 100_000) / 10
    keep(progress, name, mine.progress, parameters)
    const rate = (EPOCHS * labels.length) / ((performance.now() - startMs) / 1_000)
    console.log(
      `${name} round ${round}/${ROUNDS}: ${(100 * (accuracy ?? 0)).toFixed(2)} %, ${rate.toFixed(0)} images a second`,
    )
  }
}

function testImages(): TrainingData {
  const images = readImages('mnist.test')
  return imageRows(
    images,
    Uint32Array.from(images.labels, (_, i) => i),
  )
}

const fresh = (): { progress: Progress; parameters: undefined } => ({
  progress: { accuracy: [], cpuSeconds: 0 },
  parameters: undefined,
})

const stateFile = (name: string): URL => new URL(`published-images-${name.replace(':', '-')}.f32`, stateFolder)

function startOrResume(all: AllProgress, name: string): { progress: Progress; parameters: Float32Array | undefined } {
  const known = all[name]
  const file = stateFile(name)
  if (!known || !existsSync(file)) return fresh()
  // The round stands in front, so that a model and accuracies of different runs are not taken for one.
  const words = new Float32Array(Uint8Array.from(readFileSync(file)).buffer)
  if (words[0] !== known.accuracy.length) return fresh()
  return { progress: known, parameters: words.slice(1) }
}

function keep(all: AllProgress, name: string, progress: Progress, parameters: Float32Array): void {
  mkdirSync(stateFolder, { recursive: true })
  const words = new Float32Array(parameters.length + 1)
  words[0] = progress.accuracy.length
  words.set(parameters, 1)
  writeFileSync(stateFile(name), new Uint8Array(words.buffer))
  // Read again: another partition may have been run meanwhile.
  writeFileSync(resultFile, `${JSON.stringify({ ...all, ...readProgress(), [name]: progress }, null, 1)}\n`)
}

if (process.argv[1] === import.meta.filename) {
  const [rounds = '', only] = process.argv.slice(2)
  if (!/^[1-9]\d{0,3}$/.test(rounds)) {
    console.error('usage: node bench/src/learning/publishedImages.ts ROUNDS [iid|dirichlet:0.5|labels:2]')
    process.exit(2)
  }
  const engine = await createLocalEngine({ executor: 'auto', threads: Number(process.env.POTLUCK_THREADS ?? 1) })
  const wanted = published
    .map(({ partition }) => partition as string)
    .filter((name) => only === undefined || name === only)
  for (const name of wanted) await runPublishedImages(engine, parsePartition(name), Number(rounds))
  await engine.close()
  for (const { what, value, unit } of await publishedImageRows()) console.log(what, value, unit)
}
