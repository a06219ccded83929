/**
 * A miniature exact job, written out by hand as records: two parts of 600 elements, five steps, a state every two, every kind of
 * record and every reduction. Traces are computed element by element and can be made to lie.
 */
import type {
  ComputedRecord,
  ElementOperand,
  ElementRecord,
  IndexTerm,
} from '../../../packages/engine/src/elements/ElementRecord.ts'
import { encodeRecord, wordBytes } from '../../../packages/engine/src/elements/encodeRecord.ts'
import { evaluateElement } from '../../../packages/engine/src/elements/evaluateElement.ts'
import { wordOfFloat } from '../../../packages/engine/src/elements/words.ts'
import { RandomStream } from '../../../packages/engine/src/random/RandomStream.ts'
import type { Instruction } from '../../../packages/engine/src/scalar/ScalarProgram.ts'
import { ABSENT, hashLeaf, merkleRoot, treeDepth } from '../../../packages/protocol/src/merkle.ts'
import { HashTree } from './HashTree.ts'

export const STEPS = 5
export const EVERY = 2
export const SEGMENTS = 3
const SIZE = 600
const PART_DEPTH = 2
const STATE_DEPTH = 3
export const UNITS = 1000
export const SHARES = 8

/** The words of a trace leaf with the tree over them. */
export type Leaf = { words: Uint32Array; leaves: Uint8Array[]; tree: HashTree }
export type Trace = { leaves: Leaf[]; tree: HashTree }

export function leafOf(words: Uint32Array): Leaf {
  const bytes = new Uint8Array(4 * words.length)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true)
  const leaves = Array.from({ length: Math.ceil(words.length / 256) }, (_, i) =>
    bytes.subarray(1024 * i, 1024 * i + 1024),
  )
  return { words, leaves, tree: new HashTree(leaves.map(hashLeaf), treeDepth(leaves.length)) }
}

/** The state of two parts: position p·1024 + i, with gaps. */
export function stateOf(weights: Uint32Array, moments: Uint32Array): Leaf {
  const parts = [weights, moments].map(leafOf)
  const words = new Uint32Array(1024 + SIZE)
  words.set(weights, 0)
  words.set(moments, 1024)
  const [first, second] = parts.map(({ leaves }) => leaves) as [Uint8Array[], Uint8Array[]]
  const nodes = [...first.map(hashLeaf), ABSENT, ...second.map(hashLeaf), ABSENT]
  return { words, leaves: [...first, new Uint8Array(), ...second], tree: new HashTree(nodes, STATE_DEPTH) }
}

const term = (variable: IndexTerm['variable'], coefficient = 1, divide = 1, modulo = 0): IndexTerm => ({
  variable,
  divide,
  modulo,
  coefficient,
})
const read = (leaf: number, depth: number, terms: IndexTerm[], offset = 0): ElementOperand => ({
  source: 'tensor',
  leaf,
  depth,
  offset,
  indirect: 0,
  indirectCoefficient: 0,
  indirectLimit: 0,
  axes: [{ constant: 0, divisor: 1, limit: 0, coefficient: 1, terms }],
})
const line = (operation: Instruction['operation'], from: number[] = [], immediate = 0): Instruction => ({
  operation,
  arguments: from,
  immediate,
})
const [E, K] = [term('element'), term('summation')]

const text = new Uint8Array(3000).map((_, i) => (i * 7919) % 251)
const textTree = new HashTree([text.subarray(0, 1024), text.subarray(1024, 2048), text.subarray(2048)].map(hashLeaf), 2)
const floats = (count: number, of: (i: number) => number) =>
  new Uint32Array(count).map((_, i) => wordOfFloat(Math.fround(of(i))))
const fixed = leafOf(floats(SIZE, (i) => ((i * 37) % 64) / 64 - 0.4))
const rates = Array.from({ length: STEPS }, (_, step) => leafOf(floats(1, () => 0.01 * (step + 1))))
const rateTree = new HashTree(
  rates.map(({ tree }) => tree.root),
  3,
)

const element = (record: Omit<ComputedRecord, 'kind'>): ComputedRecord => ({ kind: 'element', ...record })
/** Trace leaves of a step, by number. */
const [BEFORE, FIXED, TOKENS, UNIFORM, RATE, MIXED, ROW, PRODUCT, LARGEST, NEXT] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
export const STEP_LEAVES = { BEFORE, FIXED, TOKENS, UNIFORM, RATE, MIXED, ROW, PRODUCT, LARGEST, NEXT }

function stepRecords(padding: number): ElementRecord[] {
  const records: ElementRecord[] = [
    { kind: 'before' },
    { kind: 'fixed', root: fixed.tree.root },
    { kind: 'tokens', size: 8, context: 4, length: text.length, shift: 1, dataDepth: 2, dataRoot: textTree.root },
    { kind: 'uniform', size: SIZE, purpose: 4 },
    { kind: 'schedule', depth: 3, root: rateTree.root },
    // w·x + u, with one division for good measure
    element({
      size: SIZE,
      reduction: 'none',
      terms: 0,
      operands: [read(BEFORE, STATE_DEPTH, [E]), read(FIXED, 2, [E]), read(UNIFORM, 2, [E])],
      instructions: [
        line('input', [], 0),
        line('input', [], 1),
        line('input', [], 2),
        line('multiply', [0, 1]),
        line('add', [3, 2]),
        line('constant', [], 3),
        line('divide', [4, 5]),
      ],
      output: 6,
    }),
    element({
      size: 1,
      reduction: 'rowSum',
      terms: SIZE,
      operands: [read(MIXED, 2, [K])],
      instructions: [line('input', [], 0)],
      output: 0,
    }),
    // Σ_k y[e·60 + k mod 60]·y[k]
    element({
      size: 10,
      reduction: 'sum',
      terms: SIZE,
      operands: [read(MIXED, 2, [term('element', 60), term('summation', 1, 1, 60)]), read(MIXED, 2, [K])],
      instructions: [line('input', [], 0), line('input', [], 1), line('multiply', [0, 1])],
      output: 2,
    }),
    element({
      size: 2,
      reduction: 'rowMaximum',
      terms: 300,
      operands: [read(MIXED, 2, [term('element', 300), K])],
      instructions: [line('input', [], 0)],
      output: 0,
    }),
    // w − y·rate
    element({
      size: SIZE,
      reduction: 'none',
      terms: 0,
      operands: [read(BEFORE, STATE_DEPTH, [E]), read(MIXED, 2, [E]), read(RATE, 0, [])],
      instructions: [
        line('input', [], 0),
        line('input', [], 1),
        line('input', [], 2),
        line('multiply', [1, 2]),
        line('subtract', [0, 3]),
      ],
      output: 4,
    }),
  ]
  for (let i = 0; i < padding; i++) records.push({ kind: 'fixed', root: fixed.tree.root })
  records.push({
    kind: 'after',
    partDepth: PART_DEPTH,
    segments: [
      { start: 0, length: SIZE, leaf: NEXT, depth: 2, offset: 0 },
      { start: 1024, length: SIZE, leaf: BEFORE, depth: STATE_DEPTH, offset: 1024 },
    ],
  })
  return records
}

const finishRecords: ElementRecord[] = [
  { kind: 'before' },
  { kind: 'base' },
  element({
    size: SIZE,
    reduction: 'none',
    terms: 0,
    operands: [read(0, STATE_DEPTH, [E]), read(1, 2, [E])],
    instructions: [line('input', [], 0), line('input', [], 1), line('subtract', [0, 1])],
    output: 2,
  }),
]

/** Σ over the shares of u·g, taken from the base: state before, reference, updates, the moves, the next model. */
const nextRecords: ElementRecord[] = [
  { kind: 'before' },
  { kind: 'reference' },
  { kind: 'updates' },
  element({
    size: SIZE,
    reduction: 'sum',
    terms: SHARES,
    operands: [read(2, PART_DEPTH + 3, [term('summation', 1024), E]), read(1, 2, [E])],
    instructions: [line('input', [], 0), line('input', [], 1), line('multiply', [0, 1])],
    output: 2,
  }),
  element({
    size: SIZE,
    reduction: 'none',
    terms: 0,
    operands: [read(0, 2, [E]), read(3, 2, [E])],
    instructions: [line('input', [], 0), line('input', [], 1), line('subtract', [0, 1])],
    output: 2,
  }),
]

export type ExampleJob = ReturnType<typeof exampleJob>

/** @param padding trace leaves more than needed: above 53 the trace has two rows */
export function exampleJob(padding = 0) {
  const step = stepRecords(padding)
  const records = [...step, ...finishRecords, ...nextRecords].map(encodeRecord)
  const jobSeed = new Uint8Array(32).fill(7)
  const zero = leafOf(new Uint32Array(SIZE))
  const header = wordBytes([
    0x504c4b31,
    records.length + 1,
    1,
    STEPS,
    EVERY,
    0,
    UNITS,
    SHARES,
    2,
    PART_DEPTH,
    1,
    step.length,
    1 + step.length,
    finishRecords.length,
    1 + step.length + finishRecords.length,
    nextRecords.length,
    jobSeed,
    zero.tree.root,
  ])
  const leaves = [header, ...records]
  const tree = new HashTree(leaves.map(hashLeaf), treeDepth(leaves.length))
  return {
    step,
    finish: finishRecords,
    next: nextRecords,
    header,
    leaves,
    tree,
    root: merkleRoot(leaves),
    jobSeed,
    text,
    textTree,
    rateTree,
  }
}

export const baseWeights = floats(SIZE, (i) => ((i * 53) % 97) / 97 - 0.5)
/** The updates of the shares that take part, zeros elsewhere, as the parts of one tree. */
export function updatesOf(updates: readonly (Uint32Array | undefined)[]): Leaf {
  const parts = Array.from({ length: SHARES }, (_, share) => leafOf(updates[share] ?? new Uint32Array(SIZE)))
  const words = new Uint32Array(1024 * SHARES)
  parts.forEach((part, share) => {
    words.set(part.words, 1024 * share)
  })
  const leaves = parts.flatMap((part) => [...part.leaves, new Uint8Array()])
  const nodes = parts.flatMap((part) => [...part.leaves.map(hashLeaf), ABSENT])
  return { words, leaves, tree: new HashTree(nodes, PART_DEPTH + 3) }
}

export const noMoments = new Uint32Array(SIZE)

/** Says what one word of a trace leaf becomes; what follows is computed from it. */
export type Lie = { step: number; leaf: number; element: number; flip: number }

/** The trace of one step from the state before it. */
export function traceStep(
  job: ExampleJob,
  before: Leaf,
  step: number,
  seed: Uint8Array,
  lies: readonly Lie[] = [],
  given: { reference?: Leaf; updates?: Leaf } = {},
): Trace {
  const records = step < STEPS ? job.step : step === STEPS ? job.finish : job.next
  const leaves: Leaf[] = []
  for (const [number, record] of records.entries()) {
    const made = leafFor(job, record, leaves, before, step, seed, given)
    const lie = lies.filter((one) => one.step === step && one.leaf === number)
    if (lie.length === 0) {
      leaves.push(made)
      continue
    }
    const words = made.words.slice()
    for (const { element: at, flip } of lie) words[at] = ((words[at] as number) ^ flip) >>> 0
    leaves.push(
      (record.kind === 'after' || record.kind === 'before') && step <= STEPS
        ? stateOf(words.slice(0, SIZE), words.slice(1024))
        : leafOf(words),
    )
  }
  return {
    leaves,
    tree: new HashTree(
      leaves.map(({ tree }) => tree.root),
      treeDepth(leaves.length),
    ),
  }
}

function leafFor(
  job: ExampleJob,
  record: ElementRecord,
  earlier: readonly Leaf[],
  before: Leaf,
  step: number,
  seed: Uint8Array,
  given: { reference?: Leaf; updates?: Leaf },
): Leaf {
  const word = (leaf: number, index: number): number => earlier[leaf]?.words[index] as number
  switch (record.kind) {
    case 'before':
      return before
    case 'fixed':
      return fixed
    case 'base':
      return leafOf(baseWeights)
    case 'reference':
      return given.reference as Leaf
    case 'updates':
      return given.updates as Leaf
    case 'schedule':
      return rates[step] as Leaf
    case 'uniform': {
      const stream = new RandomStream(seed, record.purpose, step)
      return leafOf(new Uint32Array(record.size).map((_, e) => wordOfFloat(stream.uniform(e))))
    }
    case 'tokens': {
      const stream = new RandomStream(seed, 2, step)
      const { context: T, length: N, shift } = record
      return leafOf(
        new Uint32Array(record.size).map(
          (_, e) => job.text[stream.below(Math.floor(e / T), N - T) + (e % T) + shift] as number,
        ),
      )
    }
    case 'after':
      return stateOf((earlier[NEXT] as Leaf).words, (earlier[BEFORE] as Leaf).words.slice(1024))
    case 'element':
      return leafOf(new Uint32Array(record.size).map((_, e) => evaluateElement(record, e, word)))
  }
}

/** All of a claim: the state before and after every step, each step's trace, the finish and its update. */
export function runJob(job: ExampleJob, seed: Uint8Array, lies: readonly Lie[] = []) {
  const states = [stateOf(baseWeights, noMoments)]
  const traces: Trace[] = []
  for (let step = 0; step < STEPS; step++) {
    const trace = traceStep(job, states[step] as Leaf, step, seed, lies)
    traces.push(trace)
    states.push(trace.leaves.at(-1) as Leaf)
  }
  const finish = traceStep(job, states[STEPS] as Leaf, STEPS, seed, lies)
  const kept = [states[2], states[4], states[5]] as Leaf[]
  const statesTree = new HashTree(
    kept.map(({ tree }) => tree.root),
    2,
  )
  return { states, traces: [...traces, finish], kept, statesTree, update: finish.leaves.at(-1) as Leaf }
}
/** What a round results in: the reference run with its update, and the aggregation of the updates that take part. */
export function runResult(
  job: ExampleJob,
  seed: Uint8Array,
  updates: readonly (Uint32Array | undefined)[],
  lies: readonly Lie[] = [],
) {
  const run = runJob(job, seed, lies)
  const given = { reference: run.update, updates: updatesOf(updates) }
  const aggregation = traceStep(job, leafOf(baseWeights), STEPS + 1, seed, lies, given)
  const nodes = [...run.kept.map(({ tree }) => tree.root), run.update.tree.root]
  return {
    ...run,
    traces: [...run.traces, aggregation],
    runTree: new HashTree(nodes, 2),
    next: aggregation.leaves.at(-1) as Leaf,
  }
}
export type Result = ReturnType<typeof runResult>

export type Run = ReturnType<typeof runJob>
