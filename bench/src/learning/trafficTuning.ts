/**
 * The tuning behind the benchmark `traffic`: as many settings of the synchronous arm as of ours, on seeds that no result uses, with
 * test rows held out of the training part. The best of each arm, by the mean over both partitions, is what `trafficImages.ts` and
 * `trafficText.ts` hold. Inner steps and compression are not tuned: they decide the ratio that is to be met.
 *
 *   node bench/src/learning/trafficTuning.ts [mnist|fashion|text]
 *
 * All results: bench/results/parts/traffic-tuning-*.json; three hours of one core, in slices with POTLUCK_BENCH_SECONDS.
 */
import type { Engine } from '@potluck/engine'
import type { OuterOptimizer } from '@potluck/learning'
import { codeOf } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import { meanOf } from './attackGrid.ts'
import { type Arm, runArm } from './trafficArm.ts'
import { type ImageSet, imageArms, imageTask } from './trafficImages.ts'
import { openParts, type Parts } from './trafficParts.ts'
import { textArms, textTask } from './trafficText.ts'

const TASKS = ['mnist', 'fashion', 'text'] as const
type Task = (typeof TASKS)[number]
/** Fashion-MNIST's best settings lie closer together than its seeds. */
const SEEDS: Readonly<Record<Task, readonly number[]>> = { mnist: [1], fashion: [1, 2, 3], text: [1] }
type ArmName = 'synchronous' | 'compressed'

const momentum = (rates: readonly number[], share: number, nesterov: boolean): OuterOptimizer[] =>
  rates.map((rate) => ({ kind: 'sgd', rate, momentum: share, nesterov }))
const adaptive = (kind: 'adam' | 'yogi', rates: readonly number[], beta2 = 0.99): OuterOptimizer[] =>
  rates.map((rate) => ({ kind, rate, beta1: 0.9, beta2, epsilon: 1e-6 }))

/** One gradient a step: what is done with the mean of them is the outer step. */
const imageOuter: readonly OuterOptimizer[] = [
  ...[0.1, 0.2, 0.4, 0.8].map((rate): OuterOptimizer => ({ kind: 'sgd', rate })),
  ...momentum([0.02, 0.04, 0.08], 0.9, false),
  ...momentum([0.02, 0.04, 0.08], 0.9, true),
  ...momentum([0.1, 0.2, 0.4], 0.5, true),
  ...adaptive('adam', [0.0005, 0.001, 0.002]),
  ...adaptive('adam', [0.0005, 0.001, 0.002], 0.999),
  ...adaptive('adam', [0.001], 0.95),
  ...adaptive('yogi', [0.0005, 0.001, 0.002]),
  ...momentum([0.05], 0.8, true),
]
const ownOuter: readonly OuterOptimizer[] = [...momentum([0.7, 1], 0.8, true), ...momentum([1], 0.7, true)]
const textOuter: readonly OuterOptimizer[] = [
  ...adaptive('adam', [0.0005, 0.001, 0.002, 0.004]),
  ...adaptive('adam', [0.001, 0.002, 0.004], 0.95),
  ...adaptive('yogi', [0.001, 0.002, 0.004]),
  ...adaptive('adam', [0.003], 0.95),
  ...adaptive('adam', [0.002, 0.003], 0.9),
  ...momentum([0.05, 0.1, 0.2], 0.9, true),
]

function candidates(task: Task): Readonly<Record<ArmName, readonly Arm[]>> {
  if (task === 'text') {
    const { synchronous, compressed } = textArms
    const own = (kind: 'muon' | 'adamw', learningRate: number, outer?: OuterOptimizer): Arm => ({
      ...compressed,
      local: { ...compressed.local, optimizer: { kind }, learningRate },
      ...(outer ? { outer } : {}),
    })
    const rates = [0.0005, 0.001, 0.002, 0.004]
    const [damped] = momentum([0.7], 0.5, true)
    return {
      synchronous: textOuter.map((outer) => ({ ...synchronous, outer })),
      compressed: [
        ...rates.map((rate) => own('muon', rate)),
        ...rates.map((rate) => own('muon', rate, damped)),
        ...rates.map((rate) => own('adamw', rate)),
        ...[0.0015, 0.0025, 0.003].map((rate) => own('muon', rate)),
        own('muon', 0.0015, damped),
      ],
    }
  }
  const { compressed } = imageArms[task]
  const gradient: Arm['local'] = { steps: 1, batch: 32, optimizer: { kind: 'sgd' }, learningRate: 1 }
  return {
    synchronous: imageOuter.map((outer) => ({ local: gradient, outer })),
    compressed: [
      ...[true, false].flatMap((isScaled) =>
        [0.05, 0.1, 0.15, 0.2].flatMap((learningRate) => ownOuter.map((outer) => ({ isScaled, learningRate, outer }))),
      ),
    ].map(({ isScaled, learningRate, outer }): Arm => {
      const local = { ...compressed.local, learningRate }
      const method = { kind: 'scaffold', share: 0.1, ...(isScaled ? { isScaled } : {}) } as const
      return { ...compressed, local, method, outer }
    }),
  }
}

type Tried = { readonly arm: Arm; readonly score: number }

/** Every setting of an arm with its score, the best first: accuracy, or minus the loss of a text. Diverged runs come last. */
async function tune(engine: Engine, parts: Parts, task: Task, name: ArmName): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const arm of candidates(task)[name]) {
    const scores: number[] = []
    for (const seed of SEEDS[task]) {
      for (const partition of task === 'text' ? (['text'] as const) : (['iid', 'dirichlet'] as const)) {
        const key = JSON.stringify({ task, partition, seed, name, ...arm })
        const result = await parts.get(key, () => scoreOf(engine, task, partition, seed, arm))
        scores.push(result ?? Number.NEGATIVE_INFINITY)
      }
    }
    tried.push({ arm, score: meanOf(scores) })
  }
  return tried.toSorted((a, b) => b.score - a.score)
}

/** Null for a run that left all numbers. */
async function scoreOf(
  engine: Engine,
  task: Task,
  partition: 'iid' | 'dirichlet' | 'text',
  seed: number,
  arm: Arm,
): Promise<number | null> {
  const common = partition === 'text' ? textTask(seed) : imageTask(task as ImageSet, partition, seed, true)
  try {
    const { accuracy, loss } = await runArm(engine, arm, common)
    const score = partition === 'text' ? -loss : accuracy
    return Number.isFinite(score) ? score : null
  } catch (error) {
    if (codeOf(error) !== 'NAN') throw error
    return null
  }
}

if (import.meta.main) {
  const only = process.argv[2]
  const engine = await createLocalEngine({ threads: 1 })
  for (const task of TASKS.filter((name) => only === undefined || name === only)) {
    const parts = openParts(`traffic-tuning-${task}`)
    for (const name of ['synchronous', 'compressed'] as const) {
      const tried = await tune(engine, parts, task, name)
      console.log(`${task}, ${name}, ${tried.length} settings:`)
      for (const { arm, score } of tried.slice(0, 4)) console.log(`  ${score.toFixed(4)}  ${JSON.stringify(arm)}`)
    }
  }
  await engine.close()
}
