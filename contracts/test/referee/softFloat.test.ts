import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { softFloatsAbi, softFloatsBytecode } from '../../../packages/chain/src/generated/SoftFloats.ts'
import {
  checkSoftFloat,
  deploySoftFloats,
  differences,
  type FloatOperation,
  floatOperations,
  type Pair,
  wordOf,
} from '../support/checkSoftFloat.ts'
import type { Evm } from '../support/evm.ts'
import { startEvm } from '../support/startEvm.ts'
import { deploy } from '../support/world.ts'

const SIGN = 0x80000000

let evm: Evm
let ask: Awaited<ReturnType<typeof deploySoftFloats>>

before(async () => {
  evm = await startEvm()
  ask = await deploySoftFloats(evm)
})

/** Every class of number and its neighbours: zeros, subnormals, normals at both ends, around 1 and around powers of two, infinity, NaNs. */
function edgeWords(): number[] {
  const magnitudes = [
    0, 1, 2, 3, 0x400000, 0x7ffffe, 0x7fffff, 0x800000, 0x800001, 0x800002, 0xffffff, 0x1000000, 0x1000001, 0x7f7ffffe,
    0x7f7fffff, 0x7f000000, 0x7f800000, 0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fc00001, 0x7fffffff,
  ]
  for (const power of [-126, -75, -63, -25, -24, -23, -1, 0, 1, 22, 23, 24, 25, 63, 64, 75, 126]) {
    const word = (power + 127) << 23
    magnitudes.push(word - 1, word, word + 1, word + 0x400000)
  }
  for (const value of [3, 1 / 3, 0.1, 10, 5, 7, Math.PI, 1e-20, 1e20]) magnitudes.push(wordOf(Math.fround(value)))
  return [...new Set(magnitudes)].flatMap((word) => [word, (word | SIGN) >>> 0])
}

test('every pair of edge cases gives the bits of the hardware, for every operation [E-01] [D-10]', async () => {
  const edges = edgeWords()
  const pairs = edges.flatMap((a) => edges.map((b): Pair => [a, b]))
  for (const operation of Object.keys(floatOperations) as FloatOperation[]) {
    const isUnary = ['sqrt', 'negate', 'absolute', 'toFloat'].includes(operation)
    const chosen = isUnary ? edges.map((a): Pair => [a, 0]) : pairs
    assert.deepEqual((await differences(ask, operation, chosen)).slice(0, 3), [])
  }
})

test('ties go to the even neighbour, in sums, products and conversions [E-01]', async () => {
  const half = wordOf(2 ** -24)
  const cases: [FloatOperation, number, number, number][] = [
    ['add', wordOf(1), half, wordOf(1)],
    ['add', wordOf(1 + 2 ** -23), half, wordOf(1 + 2 ** -22)],
    ['add', wordOf(1), half + 1, wordOf(1 + 2 ** -23)],
    ['subtract', wordOf(1), wordOf(2 ** -25), wordOf(1)],
    ['multiply', 1, wordOf(0.5), 0],
    ['multiply', 3, wordOf(0.5), 2],
    ['multiply', 1, wordOf(0.75), 1],
    ['toFloat', 0x1000001, 0, wordOf(0x1000000)],
    ['toFloat', 0x1000003, 0, wordOf(0x1000004)],
    ['toFloat', 0x80000000, 0, wordOf(-0x80000000)],
    ['toFloat', 0x7fffffff, 0, wordOf(0x80000000)],
  ]
  for (const [operation, a, b, wanted] of cases) {
    assert.deepEqual(await ask(operation, [[a, b]]), [wanted], `${operation} ${a.toString(16)} ${b.toString(16)}`)
  }
})

test('every NaN that comes out is 0x7fc00000 [D-10]', async () => {
  const nans = [0x7f800001, 0x7fc00001, 0xffc00000, 0xffffffff]
  for (const operation of ['add', 'subtract', 'multiply', 'divide', 'sqrt', 'negate', 'absolute'] as const) {
    const got = await ask(
      operation,
      nans.map((nan) => [nan, wordOf(1)]),
    )
    assert.deepEqual(
      got,
      nans.map(() => 0x7fc00000),
    )
  }
})

test('30,000 random pairs give the bits of the hardware [E-01]', async () => {
  const { vectors, wrong, first } = await checkSoftFloat(evm, { vectors: 30_000, seed: 20_261_120 })
  assert.deepEqual({ vectors, wrong, first }, { vectors: 30_000, wrong: 0, first: undefined })
})

test('a multiplication and an addition cost at most 2,000 gas', async () => {
  const [from] = await evm.accounts(78, 1)
  assert.ok(from)
  const floats = await deploy(evm, from, softFloatsAbi, softFloatsBytecode, [])
  for (const [a, b, c] of [
    [1.1, 2.3, 3.7],
    [1e-30, 1e-12, 1],
    [1.5, -2.25, 3.375],
    [1e-42, 0.3, 1e-40],
  ] as const) {
    const used = await floats.read('gasOfMultiplyAdd', [BigInt(wordOf(a)), BigInt(wordOf(b)), BigInt(wordOf(c))])
    assert.ok(used <= 2_000n, `${used} gas`)
  }
})
