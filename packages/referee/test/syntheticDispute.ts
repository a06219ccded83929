/**
 * A dispute over a claim too large to compute: 1,000 steps of 2,000 products, each of 2^22 elements that are sums of 4,096
 * terms. Every tensor is one constant, 2^-12, which such a product leaves as it is (4,096·2^-24 = 2^-12, every partial sum
 * exact), so that a tree is one hash a level. The liar changed one element of one product.
 */
import { type ComputedRecord, type ElementRecord, type ExactJob, encodeRecord, wordBytes } from '@potluck/engine'
import { hashLeaf, hashNode, merkleRoot, toHex } from '@potluck/protocol'
import {
  bytesOfWords,
  type ClaimTruth,
  type HashTree,
  partialSums,
  rootOf,
  type StepTrace,
  treeOfNodes,
} from '../src/index.ts'
import { openArena } from './arena.ts'
import { playMatch } from './playMatch.ts'

const STEPS = 1_000
const OPERATORS = 2_000
const SIZE = 2 ** 22
const TERMS = 4_096
const DEPTH = 14
const STATE_EVERY = 25

const WORD = 0x39800000
const WRONG_STEP = 812
const WRONG_LEAF = 1_234
const WRONG_ELEMENT = 91_233
const WRONG_TERM = 4_000
const FLIP = 1

export type SyntheticDispute = {
  /** Transactions of both sides, from the challenge to the last move. */
  readonly moves: number
  readonly gas: bigint
  readonly perMove: readonly { readonly move: string; readonly gas: bigint; readonly bytes: number }[]
  readonly caught: boolean
  /** Its program, for a replay with names. */
  readonly job: ExactJob
}

/**
 * Plays it through the real contracts on an embedded chain. About ten seconds.
 *
 * @param liar who lies: the worker, or the one that challenges a claim that is right
 */
export async function syntheticDispute(liar: 'worker' | 'other' = 'worker'): Promise<SyntheticDispute> {
  const arena = await openArena()
  try {
    const [worker, other] = [await arena.player(1), await arena.player(2)]
    const job = syntheticJob()
    const base = uniformTree(WORD)
    const jobId = await arena.createJob(toHex(job.root), toHex(rootOf(base)))
    const [honest, lying] = [truthOf(job, false), truthOf(job, true)]
    const claimed = liar === 'worker' ? lying : honest
    const claim = {
      ...{ worker, share: 0, units: BigInt(job.units), baseRoot: toHex(rootOf(base)) },
      updateDigest: toHex(new Uint8Array(32)),
      updateRoot: toHex(await claimed.updateRoot()),
      statesRoot: toHex(rootOf(treeOfNodes(await claimed.nodes()))),
    }
    const lab = { name: 'synthetic', job, jobSeed: new Uint8Array(32), size: 0 }
    const fromBlock = await arena.block()
    const table = { arena, lab, jobId, fromBlock, worker, other, number: 0, base: new Float32Array(0) }
    const sides = liar === 'worker' ? ([lying, honest] as const) : ([honest, lying] as const)
    const result = await playMatch(table, sides[0], sides[1], claim, liar)
    const perMove = result.sent.filter(({ move }) => !move.endsWith('.settle') && !move.endsWith('.callTime'))
    return {
      moves: perMove.length,
      gas: perMove.reduce((sum, { gas }) => sum + gas, 0n),
      perMove,
      caught: result.isWrong === (liar === 'worker'),
      job,
    }
  } finally {
    await arena.close()
  }
}

/** A tree over 2^14 equal leaves: one hash a level. */
function uniformTree(word: number): HashTree {
  const levels = [hashLeaf(leafOf(word))]
  for (let level = 0; level < DEPTH; level++)
    levels.push(hashNode(levels[level] as Uint8Array, levels[level] as Uint8Array))
  return { levels: DEPTH, node: (level) => levels[level] as Uint8Array }
}

const leafOf = (word: number): Uint8Array => bytesOfWords(new Uint32Array(256).fill(word))

/** A tree with another leaf at one place. */
function patchedTree(tree: HashTree, index: number, leaf: Uint8Array): HashTree {
  const path = [hashLeaf(leaf)]
  for (let level = 0; level < tree.levels; level++) {
    const at = index >> level
    const [own, sibling] = [path[level] as Uint8Array, tree.node(level, at ^ 1)]
    path.push(at & 1 ? hashNode(sibling, own) : hashNode(own, sibling))
  }
  return {
    levels: tree.levels,
    node: (level, at) => (at === index >> level ? (path[level] as Uint8Array) : tree.node(level, at)),
  }
}

function syntheticJob(): ExactJob {
  const operand = (leaf: number, terms: ComputedRecord['operands'][number]['axes'][number]['terms']) => ({
    ...{
      source: 'tensor' as const,
      leaf,
      depth: DEPTH,
      offset: 0,
      indirect: 0,
      indirectCoefficient: 0,
      indirectLimit: 0,
    },
    axes: [{ constant: 0, divisor: 1, limit: 0, coefficient: 1, terms }],
  })
  const product = (leaf: number): ComputedRecord => ({
    ...{ kind: 'element', size: SIZE, reduction: 'sum', terms: TERMS, output: 2 },
    operands: [
      operand(leaf - 1, [
        { variable: 'element', divide: 2048, modulo: 1024, coefficient: TERMS },
        { variable: 'summation', divide: 1, modulo: 0, coefficient: 1 },
      ]),
      operand(Math.max(0, leaf - 2), [
        { variable: 'summation', divide: 1, modulo: 0, coefficient: 1024 },
        { variable: 'element', divide: 1, modulo: 1024, coefficient: 1 },
      ]),
    ],
    instructions: [
      { operation: 'input', arguments: [], immediate: 0 },
      { operation: 'input', arguments: [], immediate: 1 },
      { operation: 'multiply', arguments: [0, 1], immediate: 0 },
    ],
  })
  const whole = { start: 0, length: SIZE, leaf: OPERATORS, depth: DEPTH, offset: 0 }
  const records: ElementRecord[] = [
    { kind: 'before' },
    ...Array.from({ length: OPERATORS }, (_, i) => product(i + 1)),
    { kind: 'after', partDepth: DEPTH, segments: [whole] },
  ]
  const same = [{ variable: 'element' as const, divide: 1, modulo: 0, coefficient: 1 }]
  const finish: ElementRecord[] = [
    { kind: 'before' },
    { kind: 'base' },
    {
      ...{ kind: 'element', size: SIZE, reduction: 'none', terms: 0, output: 2 },
      operands: [operand(1, same), operand(0, same)],
      instructions: [
        { operation: 'input', arguments: [], immediate: 0 },
        { operation: 'input', arguments: [], immediate: 1 },
        { operation: 'subtract', arguments: [0, 1], immediate: 0 },
      ],
    },
  ]
  const aggregate: ElementRecord[] = [
    { kind: 'before' },
    { kind: 'reference' },
    { kind: 'updates' },
    {
      ...{ kind: 'element', size: SIZE, reduction: 'none', terms: 0, output: 2 },
      operands: [operand(0, same), operand(1, same)],
      instructions: (finish[2] as ComputedRecord).instructions,
    },
  ]
  const bytes = [...records, ...finish, ...aggregate].map(encodeRecord)
  const words = [0x504c4b31, bytes.length + 1, 1, STEPS, STATE_EVERY, 0, 1, 1, 1, DEPTH, 1, records.length]
  const places = [1 + records.length, finish.length, 1 + records.length + finish.length, aggregate.length]
  const header = wordBytes([...words, ...places, new Uint8Array(32), rootOf(uniformTree(0))])
  const leaves = [header, ...bytes]
  const program = { tensors: [], operations: [], inputs: {}, outputs: {}, carries: [] }
  const labels = records.map((_, i) =>
    i === 0 ? 'state before' : i > OPERATORS ? 'state after' : `layer${i}.product (matmul)`,
  )
  return {
    ...{
      steps: STEPS,
      stateEverySteps: STATE_EVERY,
      units: 1,
      shares: 1,
      parts: [SIZE],
      leaves,
      root: merkleRoot(leaves),
    },
    step: { program, records, tensors: [], labels, stateInputs: [] },
    finish: { program, records: finish, tensors: [], labels: ['last state', 'base', 'update'], stateInputs: [] },
    aggregate: {
      ...{ program, records: aggregate, tensors: [], stateInputs: [] },
      labels: ['base', 'reference update', 'updates', 'next state'],
    },
    ...{ feed: () => ({}), text: new Uint8Array(0), schedules: {} },
  }
}

/** One side's truth; a lie changes one element of step 812, and everything after it to another constant. */
function truthOf(job: ExactJob, lies: boolean): ClaimTruth {
  const [right, other, zero] = [uniformTree(WORD), uniformTree(WORD + 1), uniformTree(0)]
  const stateAfter = (step: number): Uint8Array => rootOf(lies && step >= WRONG_STEP ? other : right)
  const segments = STEPS / STATE_EVERY
  const update = lies ? uniformTree(0xb1000000) : zero
  const row = (segment: number): Uint8Array[] =>
    segment === segments
      ? [stateAfter(STEPS - 1), rootOf(update)]
      : Array.from({ length: STATE_EVERY + 1 }, (_, i) => stateAfter(segment * STATE_EVERY + i - 1))
  return {
    nodes: async () => Array.from({ length: segments }, (_, j) => stateAfter((j + 1) * STATE_EVERY - 1)),
    updateRoot: async () => rootOf(update),
    statesRow: async (segment) => row(segment),
    trace: async (step) => traceOf(job, lies && step === WRONG_STEP, right, other),
  }
}

function traceOf(job: ExactJob, lies: boolean, right: HashTree, other: HashTree): StepTrace {
  const isAfter = (leaf: number): boolean => lies && leaf > WRONG_LEAF
  const wordOf = (leaf: number, index: number): number =>
    isAfter(leaf) ? WORD + 1 : lies && leaf === WRONG_LEAF && index === WRONG_ELEMENT ? WORD ^ FLIP : WORD
  const bytesOf = (leaf: number, index: number): Uint8Array =>
    bytesOfWords(Uint32Array.from({ length: 256 }, (_, i) => wordOf(leaf, 256 * index + i)))
  const place = Math.floor(WRONG_ELEMENT / 256)
  const patched = lies ? patchedTree(right, place, bytesOf(WRONG_LEAF, place)) : right
  const leafTree = (leaf: number): HashTree => (isAfter(leaf) ? other : leaf === WRONG_LEAF ? patched : right)
  const { records } = job.step
  return {
    records,
    tree: treeOfNodes(records.map((_, leaf) => rootOf(leafTree(leaf)))),
    leafTree,
    leafBytes: bytesOf,
    word: wordOf,
    sums(leaf, element, range) {
      // Words of the leaves before are the same for both sides.
      const sums = partialSums(records[leaf] as ComputedRecord, element, range, () => WORD)
      if (!lies || leaf !== WRONG_LEAF || element !== WRONG_ELEMENT) return sums
      return sums.map((word, i) => {
        const lastTerm = Math.min(range.first + (i + 1) * range.every, range.end) - 1
        return lastTerm >= WRONG_TERM ? word ^ FLIP : word
      })
    },
  }
}
