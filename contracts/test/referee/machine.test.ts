import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, toHex } from 'viem'
import { scalarMachineAbi, scalarMachineBytecode } from '../../../packages/chain/src/generated/ScalarMachine.ts'
import type {
  ComputedRecord,
  ElementOperand,
  ElementRecord,
  IndexAxis,
} from '../../../packages/engine/src/elements/ElementRecord.ts'
import { reductions } from '../../../packages/engine/src/elements/ElementRecord.ts'
import { encodeRecord, wordBytes } from '../../../packages/engine/src/elements/encodeRecord.ts'
import { evaluateTerm, foldLanes, foldTerm } from '../../../packages/engine/src/elements/evaluateElement.ts'
import { wordOfFloat } from '../../../packages/engine/src/elements/words.ts'
import { RandomStream } from '../../../packages/engine/src/random/RandomStream.ts'
import { type Instruction, scalarOperations } from '../../../packages/engine/src/scalar/ScalarProgram.ts'
import { sha256 } from '../../../packages/protocol/src/sha256.ts'
import { randomWords } from '../support/checkSoftFloat.ts'
import { leafOf } from '../support/exampleJob.ts'
import { bigEndian } from '../support/playDispute.ts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { deploy } from '../support/world.ts'

type Machine = Awaited<ReturnType<typeof deployMachine>>
let machine: Machine

async function deployMachine() {
  const evm = await startEvm()
  const [from] = await evm.accounts(79, 1)
  if (!from) throw new Error('the chain gave no account')
  return deploy(evm, from, scalarMachineAbi, scalarMachineBytecode, [])
}

before(async () => {
  machine = await deployMachine()
})

const query = { element: 0, term: 0, folded: false, partialWord: 0, step: 0, streamKey: 0n }
/** All leaves of some tensors, as operands without proofs. */
const leavesOf = (tensors: readonly Uint32Array[]) =>
  tensors.flatMap((words, traceLeaf) =>
    leafOf(words).leaves.map((data, leaf) => ({ traceLeaf, leaf, data: toHex(data), proof: [] as Hex[] })),
  )
const evaluate = (record: ElementRecord, at: Partial<typeof query>, tensors: readonly Uint32Array[] = []) =>
  machine.read('evaluate', [{ ...query, ...at }, toHex(encodeRecord(record)), leavesOf(tensors)])

const line = (operation: Instruction['operation'], from: number[] = [], immediate = 0): Instruction => ({
  operation,
  arguments: from,
  immediate,
})
const plain: ElementOperand = {
  source: 'tensor',
  leaf: 0,
  depth: 0,
  offset: 0,
  indirect: 0,
  indirectCoefficient: 0,
  indirectLimit: 0,
  axes: [],
}
const moved = (operands: ElementOperand[], input = operands.length - 1): ComputedRecord => ({
  kind: 'element',
  size: 1000,
  reduction: 'none',
  terms: 0,
  operands,
  instructions: [line('input', [], input)],
  output: 0,
})
const numbers = new Uint32Array(600).map((_, i) => i)

test('a term is ⌊v / divide⌋ mod modulo times its coefficient; axes and offset add up to the index [D-09]', async () => {
  const axis = (changes: Partial<IndexAxis>): IndexAxis => ({
    constant: 0,
    divisor: 1,
    limit: 0,
    coefficient: 1,
    terms: [],
    ...changes,
  })
  const of = (axes: IndexAxis[], at: Partial<typeof query>, offset = 0) =>
    evaluate(moved([{ ...plain, offset, axes }]), at, [numbers])
  const e = { variable: 'element', divide: 1, modulo: 0, coefficient: 1 } as const
  const k = { variable: 'summation', divide: 1, modulo: 0, coefficient: 1 } as const
  assert.equal(await of([axis({ terms: [e] })], { element: 300 }), 300)
  assert.equal(
    await of([axis({ terms: [{ ...e, divide: 7, modulo: 5, coefficient: 3 }] })], { element: 100 }),
    3 * (14 % 5),
  )
  assert.equal(await of([axis({ constant: 500, terms: [{ ...k, coefficient: -2 }] })], { term: 100 }), 300)
  assert.equal(
    await of([axis({ coefficient: 100, terms: [e] }), axis({ terms: [k] })], { element: 3, term: 7 }, 200),
    507,
  )
  // (e − k) / 2 below 10: outside the limit, below zero and between two it is the word 0.
  const half = axis({ divisor: 2, limit: 10, coefficient: 1, terms: [e, { ...k, coefficient: -1 }] })
  assert.equal(await of([half], { element: 18 }, 1), 10)
  assert.equal(await of([half], { element: 20 }, 1), 0)
  assert.equal(await of([half], { element: 17 }, 1), 0)
  assert.equal(await of([half], { element: 2, term: 4 }, 1), 0)
})

test('an indirect operand goes where an earlier one points, and is the word 0 beyond the limit [D-09] [D-05]', async () => {
  const index = { variable: 'element', divide: 1, modulo: 0, coefficient: 1 } as const
  const pointer: ElementOperand = {
    ...plain,
    axes: [{ constant: 0, divisor: 1, limit: 0, coefficient: 1, terms: [index] }],
  }
  const row: ElementOperand = { ...plain, leaf: 1, offset: 2, indirect: 1, indirectCoefficient: 10, indirectLimit: 50 }
  const pointers = Uint32Array.of(0, 4, 49, 50, 0xffffffff)
  const got = []
  for (let element = 0; element < pointers.length; element++) {
    got.push(await evaluate(moved([pointer, row]), { element }, [pointers, numbers]))
  }
  assert.deepEqual(got, [2, 42, 492, 0, 0])
  const ownIndex: ElementOperand = { ...pointer, source: 'index' }
  assert.equal(await evaluate(moved([ownIndex]), { element: 777 }), 777)
})

test('random records give what the machine in TypeScript gives, for every instruction and reduction [D-09] [D-10] [E-04]', async () => {
  const next = randomWords(4_711)
  const below = (n: number) => next() % n
  const tensors = [600, 256, 3].map((size) => new Uint32Array(size).map(() => randomWord(next)))
  const word = (leaf: number, index: number) => tensors[leaf]?.[index] as number
  for (let i = 0; i < 250; i++) {
    const record = randomRecord(below, next, tensors)
    const [element, term, partialWord] = [below(1000), below(64), randomWord(next)]
    const wanted = evaluateTerm(record, element, term, word)
    const bare = await evaluate(record, { element, term }, tensors)
    assert.equal(bare, wanted, `record ${i}: ${JSON.stringify(record)} at ${element}, ${term}`)
    const folded = await evaluate(record, { element, term, folded: true, partialWord }, tensors)
    assert.equal(folded, foldTerm(record.reduction, partialWord, wanted), `record ${i} folded`)
  }
})

function randomWord(next: () => number): number {
  const word = next()
  const how = next() % 8
  if (how === 0) return next() % 70
  if (how === 1)
    return [0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 1, 0x807fffff][word % 8] as number
  // Most of them near 1, so that sums and products neither vanish nor overflow.
  return how < 6 ? ((word & 0x807fffff) | ((120 + (word >>> 27)) << 23)) >>> 0 : word
}

function randomRecord(
  below: (n: number) => number,
  next: () => number,
  tensors: readonly Uint32Array[],
): ComputedRecord {
  const operands = Array.from({ length: 1 + below(4) }, (_, i): ElementOperand => {
    const leaf = below(tensors.length)
    const size = tensors[leaf]?.length as number
    const isIndex = below(4) === 0
    const indirect = i > 0 && below(3) === 0 ? 1 + below(i) : 0
    // At most size − 1 in all: the axis is cut by its limit, the indirect part by its own.
    const limit = 1 + below(Math.ceil(size / 2))
    const rest = size - limit
    const term = () => ({
      variable: below(2) === 0 ? ('element' as const) : ('summation' as const),
      divide: 1 + below(9),
      modulo: below(3) === 0 ? 0 : 1 + below(40),
      coefficient: below(13) - 4,
    })
    return {
      source: isIndex ? 'index' : 'tensor',
      leaf,
      depth: 0,
      offset: 0,
      indirect: rest > 1 ? indirect : 0,
      indirectCoefficient: 1,
      indirectLimit: Math.max(rest, 1),
      axes: [{ constant: below(40) - 9, divisor: 1 + below(3), limit, coefficient: 1, terms: [term(), term()] }],
    }
  })
  const instructions: Instruction[] = operands.map((_, i) => line('input', [], i))
  for (let i = 0; i < 24; i++) {
    const operation = scalarOperations[1 + below(scalarOperations.length - 1)] as Instruction['operation']
    const from = [below(instructions.length), below(instructions.length), below(instructions.length)]
    instructions.push(line(operation, from, immediateOf(operation, below, next)))
  }
  const reduction = reductions[below(4)] as ComputedRecord['reduction']
  return {
    kind: 'element',
    size: 1000,
    reduction,
    terms: 64,
    operands,
    instructions,
    output: instructions.length - 1 - below(3),
  }
}

function immediateOf(operation: Instruction['operation'], below: (n: number) => number, next: () => number): number {
  if (operation === 'constant') return Math.fround((below(2000) - 1000) / 64)
  if (operation === 'integer') return below(3) === 0 ? 1 : next() | 0
  return below(32)
}

test('eight partials go through the fixed tree, as sums and as maxima [D-10] [E-11]', async () => {
  const next = randomWords(99)
  for (let i = 0; i < 40; i++) {
    const partials = Array.from({ length: 8 }, () => randomWord(next))
    for (const [number, name] of [
      [2, 'rowSum'],
      [3, 'rowMaximum'],
    ] as const) {
      assert.equal(await machine.read('combine', [BigInt(number), bigEndian(partials)]), foldLanes(name, partials))
    }
  }
})

test('tokens and uniforms are those of the stream [D-08] [E-14]', async () => {
  const seed = new Uint8Array(32).fill(5)
  const streamKey = BigInt(toHex(sha256(seed)).slice(0, 26))
  const uniform: ElementRecord = { kind: 'uniform', size: 5000, purpose: 4 }
  const text = new Uint8Array(5000).map((_, i) => i % 256)
  const tokens: ElementRecord = {
    kind: 'tokens',
    size: 400,
    context: 8,
    length: text.length,
    shift: 1,
    dataDepth: 3,
    dataRoot: new Uint8Array(32),
  }
  const parts = Array.from({ length: 5 }, (_, leaf) => ({
    traceLeaf: 0,
    leaf,
    data: toHex(text.subarray(1024 * leaf, 1024 * leaf + 1024)),
    proof: [],
  }))
  const token = (asked: typeof query): Promise<number> =>
    machine.read('evaluate', [asked, toHex(encodeRecord(tokens)), parts])
  for (const [step, element] of [
    [0, 0],
    [1, 3],
    [7, 399],
    [1000, 250],
    [3, 4],
  ] as const) {
    const stream = new RandomStream(seed, 4, step)
    assert.equal(await evaluate(uniform, { streamKey, step, element }), wordOfFloat(stream.uniform(element)))
    const batches = new RandomStream(seed, 2, step)
    const at = batches.below(Math.floor(element / 8), text.length - 8) + (element % 8) + 1
    const asked = { ...query, streamKey, step, element }
    assert.equal(await token(asked), text[at])
  }
})

test('refuses a leaf that is missing or too short, and a record that is cut or makes no sense [D-09]', async () => {
  const record = moved([{ ...plain, offset: 300 }])
  const bytes = encodeRecord(record)
  const ask = (record_: Uint8Array, tensors: readonly Uint32Array[]) =>
    machine.attemptView('evaluate', [query, toHex(record_), leavesOf(tensors)])
  await refuses(ask(bytes, []), 'OperandMissing', [0n, 1n])
  await refuses(ask(bytes, [numbers.slice(0, 300)]), 'OperandMissing', [0n, 1n])
  for (let length = 4; length < bytes.length; length += 4) {
    await refuses(ask(bytes.slice(0, length), [numbers]), 'RecordInvalid')
  }
  await refuses(ask(wordBytes([9]), []), 'RecordKind', [9n])
  await refuses(ask(encodeRecord({ kind: 'before' }), []), 'RecordKind', [1n])
  await refuses(ask(encodeRecord(moved([{ ...plain, indirect: 1, indirectLimit: 5 }])), [numbers]), 'RecordInvalid')
  const noDivisor = { constant: 0, divisor: 0, limit: 0, coefficient: 1, terms: [] }
  await refuses(ask(encodeRecord(moved([{ ...plain, axes: [noDivisor] }])), [numbers]), 'RecordInvalid')
  const unknown = wordBytes([0, 1, 0, 0, 0, 1, 99 * 2 ** 24, 0, 0])
  await refuses(ask(unknown, []), 'RecordKind', [99n])
})
