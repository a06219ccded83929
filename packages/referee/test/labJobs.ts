/** Small jobs that hold every kind of operation, operand, record and sum, so that any of them can be lied about. */
import {
  charactersOf,
  column,
  columnIndex,
  drawBatch,
  type ExactJob,
  exactJob,
  fixedInput,
  full,
  type Program,
  ProgramBuilder,
  RandomStream,
  row,
  rowIndex,
  ScalarBuilder,
  scalarFunctions,
  swapped,
  tensorRoot,
  textDepth,
  updateProgram,
} from '@potluck/engine'
import { aggregateProgram, publicJob } from '@potluck/learning'
import { merkleRootOfBytes, merkleRootOfNodes, treeDepth, type UpdateEncoding, utf8 } from '@potluck/protocol'

/** Odd, so that the tree over the updates has absent parts. */
export const LAB_SHARES = 5

export type LabJob = {
  readonly name: string
  readonly job: ExactJob
  readonly jobSeed: Uint8Array
  readonly size: number
}

const values = (count: number, seed: number): Float32Array => {
  const random = new RandomStream(Uint8Array.of(seed), 99, 0)
  return Float32Array.from({ length: count }, (_, i) => Math.fround(random.normal(i) / 4))
}

/** A model to start from; the same seed gives the same one. */
export const baseOf = (size: number, seed: number): Float32Array => values(size, seed)

/** One layer of a transformer on five letters: 5 steps, a state every 2. */
export function transformerJob(encoding: UpdateEncoding = 'f32', width = 4): LabJob {
  const config = { vocabulary: 'abcde', context: 4, width, layers: 1, heads: 2, hidden: 6 }
  const text = utf8('abcdeabddaccebbeadcbaedcabecdabecbdacebd')
  const letters = charactersOf(config)
  const tokens = Uint8Array.from(text, (byte) => letters.indexOf(String.fromCharCode(byte)))
  const jobSeed = new Uint8Array(32).fill(7)
  const recipe = {
    ...{ config, batch: 2, steps: 5, learningRate: 0.02, weightDecay: 0.1, warmupSteps: 3 },
    ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, stateEverySteps: 2 },
  }
  const job = publicJob(recipe, tokens, jobSeed, LAB_SHARES, encoding)
  return { name: 'transformer', job, jobSeed, size: job.parts[0] as number }
}

const ROWS = 24
const CHANNELS = 16
const TABLE = 40

/** Gather, dropout, windows, products of 144 terms, row and column reductions, scatter: 4 steps, a state every 3. */
export function zooJob(): LabJob {
  const jobSeed = new Uint8Array(32).fill(9)
  const steps = 4
  const text = Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 7 + 3 * i) % TABLE)
  const rates = Array.from({ length: steps }, (_, t) => Float32Array.of(0.05 / (t + 1)))
  const rateRoots = rates.map(tensorRoot)
  const gain = values(CHANNELS, 5)
  const noise = (step: number, seed: Uint8Array): Float32Array => {
    const random = new RandomStream(seed, 4, step)
    return Float32Array.from({ length: ROWS * CHANNELS }, (_, i) => random.uniform(i))
  }
  const job = exactJob({
    program: zooProgram(),
    state: ['parameters', 'momentum'],
    inputs: {
      tokens: {
        ...{ kind: 'tokens', size: ROWS, context: 6, length: text.length, shift: 0 },
        ...{ dataDepth: textDepth(text.length), dataRoot: merkleRootOfBytes(text) },
      },
      noise: { kind: 'uniform', size: ROWS * CHANNELS, purpose: 4 },
      gain: fixedInput(gain),
      rate: { kind: 'schedule', depth: treeDepth(steps), root: merkleRootOfNodes(rateRoots) },
    },
    finish: updateProgram(TABLE * CHANNELS),
    aggregate: aggregateProgram(TABLE * CHANNELS, LAB_SHARES),
    ...{ jobSeed, steps, stateEverySteps: 3, units: 100, shares: LAB_SHARES, text },
    schedules: { rate: rateRoots },
    feed: (step, seed) => ({
      tokens: drawBatch(seed, step, text, ROWS / 6, 6).inputs,
      noise: noise(step, seed),
      gain,
      rate: rates[step] as Float32Array,
    }),
  })
  return { name: 'zoo', job, jobSeed, size: TABLE * CHANNELS }
}

function zooProgram(): Program {
  const b = new ProgramBuilder()
  const size = TABLE * CHANNELS
  const [parameters, momentum] = [b.input('parameters', [size]), b.input('momentum', [size])]
  const tokens = b.input('tokens', [ROWS], 'i32')
  const noise = b.input('noise', [ROWS, CHANNELS])
  const gain = b.input('gain', [CHANNELS])
  const rate = b.input('rate', [1])
  const table = b.view('table', parameters, 0, [TABLE, CHANNELS])
  const x = b.gatherRows('gather', table, tokens)
  const s = (name: string, write: (s: ScalarBuilder) => Parameters<ScalarBuilder['finish']>[0]) => {
    const builder = new ScalarBuilder(name)
    return builder.finish(write(builder))
  }
  const drop = s('drop', (k) => {
    const [a, u] = [k.input(), k.input()]
    return k.select(k.less(u, k.constant(0.25)), k.constant(0), k.multiply(a, k.constant(4 / 3)))
  })
  const kept = b.map('dropout', drop, ROWS, CHANNELS, [full(x), full(noise)], [ROWS, CHANNELS])
  const turn = s('turn', (k) => {
    const [a, c, g, i, j] = [k.input(), k.input(), k.input(), k.integerInput(), k.integerInput()]
    const sign = k.select(k.integerEqual(i, j), k.constant(-1), k.constant(1))
    return k.add(k.multiply(a, g), k.multiply(sign, scalarFunctions.exp(k, k.negate(k.absolute(c)))))
  })
  const operands = [full(kept), swapped(kept), column(gain), rowIndex(5), columnIndex]
  const turned = b.map('turn', turn, ROWS, CHANNELS, operands, [ROWS, CHANNELS])
  const form = {
    images: 1,
    height: 6,
    width: 4,
    channels: CHANNELS,
    kernelHeight: 3,
    kernelWidth: 3,
    stride: 1,
    padding: 1,
  }
  const patches = b.window('window', form, b.view('image', turned, 0, [1, 6, 4, CHANNELS]))
  const K = CHANNELS * 9
  const strides = (r: number, c: number) => ({ group: 0, subgroup: 0, row: r, column: c })
  const product = {
    groups: 1,
    subgroups: 1,
    M: ROWS,
    N: ROWS,
    K,
    a: strides(K, 1),
    b: strides(1, K),
    c: strides(1, ROWS),
  }
  const gram = b.matmul('gram', product, patches, patches, [ROWS, ROWS])
  const plain = s('plain', (k) => k.input())
  const largest = b.reduce('rowMaximum', 'largest', plain, ROWS, ROWS, [full(gram)])
  const total = b.reduce(
    'rowSum',
    'total',
    s('ratio', (k) => k.divide(k.input(), k.add(k.absolute(k.input()), k.constant(1)))),
    ROWS,
    ROWS,
    [full(gram), row(largest)],
  )
  const whole = b.reduce('rowSum', 'whole', plain, 1, ROWS * K, [full(patches)])
  const columns = b.reduce('columnSum', 'columns', plain, ROWS, CHANNELS, [full(turned)])
  const weigh = s('weigh', (k) => {
    const [p, w] = [k.input(), k.input()]
    return k.add(k.multiply(p, k.constant(0.1)), k.multiply(w, k.constant(0.001)))
  })
  const weighed = b.map('weigh', weigh, 1, ROWS * K, [full(patches), row(whole)], [ROWS, K])
  const folded = b.windowSum('windowSum', form, weighed)
  const mix = s('mix', (k) =>
    k.add(k.add(k.input(), k.multiply(k.input(), k.constant(0.01))), k.multiply(k.input(), k.constant(0.01))),
  )
  const mixed = b.map('mix', mix, ROWS, CHANNELS, [full(folded), row(total), column(columns)], [ROWS, CHANNELS])
  const gradient = b.scatterAddRows('scatter', mixed, tokens, TABLE)
  const learn = new ScalarBuilder('learn')
  const [w, m, g, r] = [learn.input(), learn.input(), learn.input(), learn.input()]
  const m1 = learn.add(learn.multiply(m, learn.constant(0.9)), g)
  const scalar = learn.finish(learn.subtract(w, learn.multiply(r, m1)), m1)
  const next = b.tensor('parameters.next', [size])
  const after = b.tensor('momentum.next', [size])
  // In two halves, each written into a view: the state after is made of four segments.
  for (const half of [0, 1]) {
    const view = (name: string, of: typeof next) => b.view(`${name}${half}`, of, (half * size) / 2, [size / 2])
    const from = [full(view('w', parameters)), full(view('m', momentum)), full(view('g', gradient)), row(rate)]
    b.mapInto(`learn${half}`, scalar, 1, size / 2, from, [view('next', next), view('after', after)])
  }
  b.carry(next, parameters)
  b.carry(after, momentum)
  return b.finish()
}
