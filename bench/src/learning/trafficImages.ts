import type { Engine, TrainingData } from '@potluck/engine'
import { type OuterOptimizer, type Partition, partitionRows } from '@potluck/learning'
import { sha256, utf8 } from '@potluck/protocol'
import { imageRows, type LabelledImages, readImages, shuffledNumbers } from './benchData.ts'
import { type Arm, type ArmResult, type Common, runArm } from './trafficArm.ts'
import type { Parts } from './trafficParts.ts'

export type ImageSet = 'mnist' | 'fashion'

/** Clients, rows of all together, and local steps of each over the run, for both arms. */
const CLIENTS = 8
const TRAIN_ROWS = 10_000
const TEST_ROWS = 10_000
const STEPS = 1600

/** 784-32-10: 25,450 parameters. */
export const imageConfig = { kind: 'mlp', inputs: 784, hidden: [32], activation: 'relu', classes: 10 } as const

const synchronous = (outer: OuterOptimizer): Arm => ({
  local: { steps: 1, batch: 32, optimizer: { kind: 'sgd' }, learningRate: 1 },
  outer,
})
const compressed = (learningRate: number, rate: number, momentum: number, isScaled?: true): Arm => ({
  local: { steps: 25, batch: 32, optimizer: { kind: 'sgd' }, learningRate },
  method: { kind: 'scaffold', share: 0.1, ...(isScaled ? { isScaled } : {}) },
  compression: { kind: 'topk', keep: 256, feedback: 4 },
  outer: { kind: 'sgd', rate, momentum, nesterov: true },
})

/**
 * Synchronous: every client's gradient in f32 after every step, into one optimiser on their mean. Rates are constant. Each is the best
 * of those in `trafficTuning.ts`; inner steps and compression of ours were chosen earlier, for the ratio.
 */
export const imageArms = {
  mnist: {
    synchronous: synchronous({ kind: 'sgd', rate: 0.4, momentum: 0.5, nesterov: true }),
    compressed: compressed(0.2, 1, 0.8),
  },
  fashion: {
    synchronous: synchronous({ kind: 'adam', rate: 0.002, beta1: 0.9, beta2: 0.99, epsilon: 1e-6 }),
    compressed: compressed(0.1, 1, 0.8, true),
  },
} as const

export type ArmName = 'synchronous' | 'compressed'

const partitions: Record<string, Partition> = { iid: { kind: 'iid' }, dirichlet: { kind: 'dirichlet', alpha: 0.3 } }

/** One arm on one seed; kept in `parts`. */
export function runImages(
  engine: Engine,
  parts: Parts,
  set: ImageSet,
  partition: 'iid' | 'dirichlet',
  arm: ArmName,
  seed: number,
): Promise<ArmResult> {
  const key = JSON.stringify({ set, partition, seed, arm, ...imageArms[set][arm], CLIENTS, TRAIN_ROWS, STEPS })
  return parts.get(key, () => runArm(engine, imageArms[set][arm], imageTask(set, partition, seed)))
}

/** @param isTuning whether test rows are held out of MNIST's training part too */
export function imageTask(set: ImageSet, partition: 'iid' | 'dirichlet', seed: number, isTuning = false): Common {
  const { images, train, test } = splitOf(set, seed, isTuning)
  const runSeed = sha256(utf8(`traffic ${set} ${partition} ${seed}`))
  const labels = Int32Array.from(train, (row) => images.labels[row]!)
  const clients = partitionRows(labels, CLIENTS, partitions[partition]!, runSeed).map((rows, i) => ({
    id: `client ${i}`,
    data: imageRows(
      images,
      rows.map((row) => train[row]!),
    ),
  }))
  return { config: imageConfig, clients, seed: runSeed, steps: STEPS, validation: test }
}

const loaded = new Map<string, LabelledImages>()
function imagesOf(name: 'mnist.train' | 'mnist.test' | 'fashion.train'): LabelledImages {
  const images = loaded.get(name) ?? readImages(name)
  loaded.set(name, images)
  return images
}

/** MNIST has its test part; of Fashion-MNIST's training part 10,000 rows are held out by seed. */
function splitOf(
  set: ImageSet,
  seed: number,
  isHeldOut: boolean,
): { images: LabelledImages; train: Uint32Array; test: TrainingData } {
  const images = imagesOf(set === 'mnist' ? 'mnist.train' : 'fashion.train')
  const order = shuffledNumbers(images.labels.length, seed)
  const train = order.subarray(TEST_ROWS, TEST_ROWS + TRAIN_ROWS)
  if (set === 'fashion' || isHeldOut) return { images, train, test: imageRows(images, order.subarray(0, TEST_ROWS)) }
  const test = imagesOf('mnist.test')
  return { images, train, test: imageRows(test, shuffledNumbers(test.labels.length, 0)) }
}
