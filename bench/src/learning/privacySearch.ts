/**
 * Can an image be read from what is sent where the first layer is a convolution? By search: inputs are moved until their gradient
 * points where the one seen points. The same 30 MNIST images as in `privacyInversion`; the attacker is told the classes (which it
 * mostly reads from the sum anyway) and that pixels lie in 0 to 1. Of its starts it keeps the best fit; in a sum each image is
 * compared with the nearest of the answers. Beside it: what it would reach without any gradient, by the mean image of the class.
 *
 * Steps and smoothness were chosen on three to ten other images and then left alone.
 */
import {
  createEngine,
  type Engine,
  evaluateModel,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  trainToEnd,
} from '@potluck/engine'
import {
  addUserNoise,
  type InputSearch,
  inferLabels,
  inversionQuality,
  peakSignalToNoise,
  type Rows,
  rowGradients,
  searchInputs,
  wordStream,
} from '@potluck/learning'
import type { Row } from '../Row.ts'
import { imageRows, readImages, shuffledNumbers } from './benchData.ts'
import { inversionImages, qualityRow, seedOf, sumOf } from './inversionSetting.ts'
import { meanOf } from './publishedHeart.ts'

const cnn: ModelConfig = {
  ...{ kind: 'cnn', height: 28, width: 28, channels: 1, hidden: [], classes: 10 },
  convolutions: [{ channels: 8, kernel: 5, stride: 1, padding: 2, pool: 2 }],
}
const mlp: ModelConfig = { kind: 'mlp', inputs: 784, hidden: [32], activation: 'relu', classes: 10 }

type Effort = Pick<InputSearch, 'steps' | 'starts' | 'smoothness'>
/** The images in one sum, and what was sent of it. */
type Sent = { readonly members: readonly number[]; readonly gradient: Float32Array }

const groupsOf = (numbers: readonly number[], size: number): number[][] =>
  Array.from({ length: Math.floor(numbers.length / size) }, (_, i) => numbers.slice(i * size, (i + 1) * size))

export async function privacySearch(): Promise<Row[]> {
  const engine = await createEngine()
  const { data, images } = inversionImages()
  const all = images.map((_, i) => i)
  const guesses = guessRows(data, images)
  const byClass = guesses.at(-1)!.value

  const attack = (config: ModelConfig, at: Float32Array, sent: readonly Sent[], effort: Effort): number[] =>
    sent.flatMap(({ members, gradient }) => {
      const { rows } = searchInputs(config, at, gradient, {
        ...{ ...effort, rows: members.length, rate: 0.1, low: 0, high: 1, seed: seedOf(`search ${members[0]}`) },
        labels: members.map((i) => data.targets[i]!),
      })
      return members.map((i) => Math.max(...rows.map((row) => peakSignalToNoise(images[i]!, row, 1))))
    })
  const sums = async (config: ModelConfig, at: Float32Array, groups: readonly number[][]): Promise<Sent[]> => {
    const gradients = await rowGradients(engine, config)
    gradients.at(at)
    return groups.map((members) => ({ members, gradient: sumOf(members.map((i) => gradients.of(data, i).gradient)) }))
  }
  const start = initialModelParameters(modelOf(cnn), seedOf('start'))
  const alone = await sums(cnn, start, groupsOf(all, 1))
  const three = await sums(cnn, start, groupsOf(all, 3))
  const alike = await sums(cnn, start, sameClass(data, all))
  const ten = await sums(cnn, start, groupsOf(all, 10))
  const noised = (multiplier: number): Sent[] =>
    alone.map(({ members, gradient }) => ({
      members,
      gradient: addUserNoise(gradient, 1, multiplier, wordStream(seedOf(`cnn ${multiplier} ${members[0]}`))),
    }))
  const trained = await trainedModel(engine)
  const cell = (what: string, db: readonly number[]): Row =>
    qualityRow(`cnn.optimised.${what}`, db, 'mean image of the class', byClass)
  const out = [
    ...guesses,
    ...Object.entries({ alone, three, ten }).map(([what, sent]) => labelRow(what, data, sent)),
    cell('alone', attack(cnn, start, alone, { steps: 300, starts: 3, smoothness: 0.001 })),
    cell('three', attack(cnn, start, three, { steps: 600, starts: 2, smoothness: 0.001 })),
    cell('three.alike', attack(cnn, start, alike, { steps: 600, starts: 2, smoothness: 0.001 })),
    cell('ten', attack(cnn, start, ten, { steps: 800, starts: 1, smoothness: 0.001 })),
    cell(
      'update.alone',
      attack(cnn, start, await updates(engine, data, start), { steps: 400, starts: 1, smoothness: 0.01 }),
    ),
    cell('noise0.05', attack(cnn, start, noised(0.05), { steps: 200, starts: 1, smoothness: 0.03 })),
    cell('noise1', attack(cnn, start, noised(1), { steps: 200, starts: 1, smoothness: 0.03 })),
    trained.row,
  ]
  for (const [what, size, effort] of [
    ['alone', 1, { steps: 1_000, starts: 1, smoothness: 0.01 }],
    ['three', 3, { steps: 600, starts: 1, smoothness: 0.01 }],
  ] as const) {
    const sent = await sums(cnn, trained.parameters, groupsOf(all, size))
    out.push(cell(`trained.${what}`, attack(cnn, trained.parameters, sent, effort)))
  }
  const mlpStart = initialModelParameters(modelOf(mlp), seedOf('start'))
  for (const [what, size] of [
    ['alone', 1],
    ['three', 3],
  ] as const) {
    const sent = await sums(mlp, mlpStart, groupsOf(all, size))
    const closed = sent.flatMap(({ members, gradient }) =>
      inversionQuality(
        mlp,
        gradient,
        members.map((i) => images[i]!),
        1,
      ),
    )
    const found = attack(mlp, mlpStart, sent, { steps: 400, starts: 1, smoothness: 0 })
    out.push(qualityRow(`mlp.optimised.${what}`, found, 'closed form', meanOf(closed)))
  }
  return out
}

/** Groups of three within a class, as many as there are. */
const sameClass = ({ targets }: Rows, all: readonly number[]): number[][] =>
  Array.from({ length: 10 }, (_, c) =>
    groupsOf(
      all.filter((i) => targets[i] === c),
      3,
    ),
  ).flat()

/** What is reached with no gradient: the image's own mean grey, the mean training image, and that of the right class. */
function guessRows({ targets }: Rows, images: readonly Float32Array[]): Row[] {
  const { pixels, labels } = readImages('mnist.train')
  const meanImage = (isMeant: (label: number) => boolean): Float32Array => {
    const sum = new Float64Array(784)
    let count = 0
    for (const [row, label] of labels.entries()) {
      if (!isMeant(label)) continue
      count += 1
      for (let i = 0; i < 784; i++) sum[i]! += pixels[row * 784 + i]! / 255
    }
    return Float32Array.from(sum, (value) => value / count)
  }
  const grey = images.map((image) => new Float32Array(784).fill(meanOf([...image])))
  const mean = meanImage(() => true)
  const ofClass = Array.from({ length: 10 }, (_, c) => meanImage((label) => label === c))
  const cell = (what: string, guess: (i: number) => Float32Array): Row =>
    qualityRow(
      `guess.${what}`,
      images.map((image, i) => peakSignalToNoise(image, guess(i), 1)),
      null,
      null,
    )
  return [cell('grey', (i) => grey[i]!), cell('mean', () => mean), cell('class', (i) => ofClass[targets[i]!]!)]
}

/** How many of the classes the attacker would have read by itself. */
function labelRow(what: string, { targets }: Rows, sent: readonly Sent[]): Row {
  let [right, count] = [0, 0]
  for (const { members, gradient } of sent) {
    const left = members.map((i) => targets[i]!)
    count += left.length
    for (const label of inferLabels(gradient.subarray(gradient.length - 10), members.length)) {
      const at = left.indexOf(label)
      if (at < 0) continue
      left.splice(at, 1)
      right += 1
    }
  }
  const unit = `share of ${count} classes read from the sum, measured`
  return {
    what: `inversion.cnn.labels.${what}`,
    value: right / count,
    unit,
    rival: null,
    rivalValue: null,
    ratio: null,
  }
}

/** Updates of three members with ten rows and five steps each, as in `privacyInversion`. */
async function updates(engine: Engine, data: Rows, start: Float32Array): Promise<Sent[]> {
  const gradients = await rowGradients(engine, cnn)
  return groupsOf([...data.targets.keys()], 10).map((members) => {
    let now = start
    for (let step = 0; step < 5; step++) {
      gradients.at(now)
      const sum = sumOf(members.map((i) => gradients.of(data, i).gradient))
      now = now.map((value, i) => value - 0.01 * sum[i]!)
    }
    return { members, gradient: start.map((value, i) => value - now[i]!) }
  })
}

/** The same network after 300 steps on 9,600 training images, and how it does on all test images. */
async function trainedModel(engine: Engine): Promise<{ parameters: Float32Array; row: Row }> {
  const set = readImages('mnist.train')
  const { parameters } = await trainToEnd(engine, {
    config: cnn,
    recipe: { steps: 300, batch: 32, optimizer: { kind: 'sgd', momentum: 0.9 }, learningRate: 0.05 },
    data: imageRows(set, shuffledNumbers(set.labels.length, 1).subarray(0, 9_600)),
    seed: seedOf('trained'),
  })
  const test = readImages('mnist.test')
  const rows = imageRows(test, [...test.labels.keys()])
  const { accuracy } = await evaluateModel(engine, modelOf(cnn), { parameters }, rows)
  const value = accuracy ?? Number.NaN
  const unit = 'on 10,000 test images, measured, one model'
  return {
    parameters,
    row: { what: 'inversion.cnn.trained.accuracy', value, unit, rival: null, rivalValue: null, ratio: null },
  }
}
