import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { type CopyView, copyFlags, findCopies, signedOverlap } from './findCopies.ts'
import { findIdlers } from './findIdlers.ts'
import { likenessOf } from './likeness.ts'
import { outlierThreshold } from './outlierThreshold.ts'
import { sampledGram } from './sampledGram.ts'

const seed = utf8('copies')
const P = 3000
let stream = 0
function noise(size = P): Float32Array {
  const random = new RandomStream(seed, 99, stream++)
  return Float32Array.from({ length: size }, (_, i) => random.normal(i))
}
const mix = (...parts: readonly (readonly [number, Float32Array])[]): Float32Array =>
  parts[0]![1].map((_, j) => parts.reduce((sum, [part, vector]) => sum + part * vector[j]!, 0))

const direction = noise()
/** Progress in common and as much of its own, which is what updates of early rounds look like. */
const honest = (): Float32Array => mix([1, direction], [1, noise()])
const honestRound = (count: number): Float32Array[] => Array.from({ length: count }, honest)
const viewOf = (updates: readonly Float32Array[], changes: Partial<CopyView> = {}): CopyView => ({
  ...{ members: updates.map((_, i) => 10 + i), updates, data: 'same' as const, seed },
  ...changes,
})
/** The largest of each chunk of 64, as a compressed update holds them. */
const sparse = (update: Float32Array): Float32Array =>
  update.map((x, j) => {
    const chunk = update.subarray(j - (j % 64), j - (j % 64) + 64)
    return chunk.filter((other) => Math.abs(other) > Math.abs(x)).length < 4 ? x : 0
  })

test('honest updates of public rows, dense or sparse, are no copies of each other [L-64]', () => {
  for (const count of [4, 8, 20]) {
    assert.deepEqual(findCopies(viewOf(honestRound(count))), [])
    assert.deepEqual(findCopies(viewOf(honestRound(count).map(sparse))), [])
  }
})

test('a copy is found though it is scaled or has as much noise added as it is long, and is the one committed later [L-64]', () => {
  for (const share of [0, 0.5, 1]) {
    const updates = honestRound(9)
    updates.push(mix([3, updates[4]!], [3 * 1.4 * share, noise()]))
    const findings = findCopies(viewOf(updates))
    assert.deepEqual(
      findings.map(({ earlier, later }) => [earlier, later]),
      [[14, 19]],
      `noise ${share}`,
    )
    assert.ok(findings[0]!.measured >= findings[0]!.threshold)
    const earlier = findCopies(viewOf(updates, { order: [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] }))
    assert.deepEqual(copyFlags(earlier), new Map([[14, { kind: 'copy', of: 19 }]]))
  }
})

test('copiers are found when they are 40 % of the round, of one source or of several [L-64]', () => {
  for (const source of [() => 0, (i: number) => i]) {
    const updates = honestRound(12)
    for (let i = 0; i < 8; i++) updates.push(mix([1, updates[source(i)]!], [0.3, noise()]))
    const flags = copyFlags(findCopies(viewOf(updates)))
    assert.deepEqual(
      [...flags.keys()].toSorted((a, b) => a - b),
      [22, 23, 24, 25, 26, 27, 28, 29],
    )
    for (const [member, flag] of flags) {
      assert.deepEqual(flag, { kind: 'copy', of: 10 + source(member - 22) }, `of member ${member}`)
    }
  }
})

test('a copy of a sparse update is found by its places, though every number in it is another [L-64]', () => {
  const updates = honestRound(8).map(sparse)
  const other = noise()
  updates.push(updates[2]!.map((x, j) => (x === 0 ? 0 : Math.sign(x) * (0.1 + Math.abs(other[j]!)))))
  const findings = findCopies(viewOf(updates))
  assert.ok(findings.some(({ by, later, measured }) => by === 'places' && later === 18 && measured === 1))
  assert.equal(signedOverlap(updates[2]!, updates[8]!), 1)
  assert.equal(
    signedOverlap(
      updates[2]!,
      updates[2]!.map((x) => -x),
    ),
    0,
  )
})

test('members with rows of their own may be alike as twins; only equal updates are copies there [L-64]', () => {
  const kind = noise()
  const twin = (): Float32Array => mix([1, direction], [3, kind], [0.3, noise()])
  const updates = [...honestRound(6), twin(), twin()]
  assert.ok(findCopies(viewOf(updates)).length > 0, 'beside public rows they would be suspect')
  assert.deepEqual(findCopies(viewOf(updates, { data: 'own' })), [])
  const equal = findCopies(viewOf([...updates, updates[7]!.map((x) => 2 * x)], { data: 'own' }))
  assert.deepEqual(
    equal.map(({ earlier, later }) => [earlier, later]),
    [[17, 18]],
  )
})

test('likeness is the correlation of residuals, computed by hand', () => {
  const vectors = [noise(200), noise(200), noise(200), noise(200)].map((x) => mix([1, x], [0.5, noise(200)]))
  const gram = sampledGram(vectors, seed)
  const unit = (x: Float64Array): Float64Array => {
    const length = Math.sqrt(x.reduce((sum, y) => sum + y * y, 0))
    return x.map((y) => y / length)
  }
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, j) => sum + x * b[j]!, 0)
  const units = vectors.map((x) => unit(Float64Array.from(x)))
  const m = unit(units[1]!.map((x, j) => x + units[3]![j]!))
  const residual = (x: Float64Array): Float64Array => unit(x.map((y, j) => y - dot(x, m) * m[j]!))
  const expected = dot(residual(units[0]!), residual(units[2]!))
  assert.ok(Math.abs(likenessOf(gram, 4, [0, 1, 2, 3])(0, 2) - expected) < 1e-9)
  assert.ok(Math.abs(likenessOf(gram, 4, [1, 3])(2, 0) - expected) < 1e-9)
  assert.ok(Math.abs(likenessOf(gram, 4, [0, 2])(0, 2) - gram[2]!) < 1e-9)
})

test('a sample of a long update stands for it', () => {
  const [a, b] = [honest(), honest()]
  const [whole, part] = [sampledGram([a, b], seed), sampledGram([a, b], seed, 1000)]
  assert.ok(Math.abs(whole[1]! - part[1]!) < 0.1)
  assert.ok(Math.abs(part[0]! - 1) < 1e-9)
  assert.throws(() => sampledGram([a, noise(5)], seed), { code: 'SHAPE' })
})

test('a threshold stays where it is when a quarter of the population stands out', () => {
  const usual = Array.from({ length: 30 }, (_, i) => i / 30)
  const threshold = outlierThreshold(usual, 0, 10)
  assert.ok(threshold > 1.5 && threshold < 2.1, String(threshold))
  assert.ok(outlierThreshold([...usual, ...new Array<number>(10).fill(50)], 0, 10) < 3.5)
  assert.equal(outlierThreshold([], 0.4, 1), 0.4)
})

test('nothing, and what was known before the round, is found beside honest updates [L-65]', () => {
  const updates = honestRound(9)
  const last = mix([1, direction], [0.4, noise()])
  const stale = honest()
  updates.push(new Float32Array(P), mix([2, last], [0.3, noise()]), mix([1, stale], [0.5, noise()]))
  const flags = findIdlers({ members: updates.map((_, i) => i), updates, known: [last, stale], seed })
  assert.deepEqual(
    flags,
    new Map([
      [10, { kind: 'replay' }],
      [11, { kind: 'replay' }],
      [9, { kind: 'empty' }],
    ]),
  )
  assert.equal(findIdlers({ members: [0, 1], updates: honestRound(2), known: [], seed }).size, 0)
  assert.throws(() => findIdlers({ members: [0], updates: [], known: [], seed }), { code: 'SHAPE' })
})
