import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import { classCounts } from './classCounts.ts'
import { dirichletParts } from './dirichletParts.ts'
import { type Partition, partitionText } from './Partition.ts'
import { parsePartition } from './parsePartition.ts'
import { partitionRows } from './partitionRows.ts'
import { partitionTokens } from './partitionTokens.ts'
import { selectRows } from './selectRows.ts'

const seed = (n: number): Uint8Array => Uint8Array.of(n, 7)
/** `rows` rows of `classes` classes, in turn. */
const turns = (rows: number, classes: number): Int32Array => Int32Array.from({ length: rows }, (_, i) => i % classes)
const partitions: readonly Partition[] = [
  { kind: 'iid' },
  { kind: 'dirichlet', alpha: 1e-6 },
  { kind: 'dirichlet', alpha: 0.3 },
  { kind: 'dirichlet', alpha: 1e6 },
  { kind: 'labels', labels: 1 },
  { kind: 'labels', labels: 2 },
  { kind: 'labels', labels: 10 },
]

const refusal = (labels: Int32Array, clients: number, how: Partition): string | undefined => {
  try {
    partitionRows(labels, clients, how, seed(1))
  } catch (error) {
    return codeOf(error)
  }
}

test('every row goes to exactly one client, and every client has one, however rows are divided [L-75]', () => {
  const labels = turns(203, 10)
  for (const how of partitions) {
    for (const clients of [10, 13, 40]) {
      const parts = partitionRows(labels, clients, how, seed(clients))
      assert.equal(parts.length, clients)
      assert.ok(parts.every((rows) => rows.length > 0 && rows.every((row, i) => i === 0 || row > rows[i - 1]!)))
      assert.deepEqual(
        parts.flatMap((rows) => [...rows]).sort((a, b) => a - b),
        Array.from(labels.keys()),
        partitionText(how),
      )
    }
  }
})

test('as many clients as rows get one row each, however unevenly the classes fall [L-75]', () => {
  for (const how of partitions.slice(0, 4)) {
    assert.ok(partitionRows(turns(12, 3), 12, how, seed(3)).every(({ length }) => length === 1))
  }
  assert.deepEqual(partitionRows(turns(5, 2), 1, { kind: 'iid' }, seed(1)), [Uint32Array.of(0, 1, 2, 3, 4)])
})

test('the same seed gives the same rows, another one others', () => {
  // With one class a client, or one client a class, nothing is left to draw.
  for (const how of partitions.slice(0, 4).concat({ kind: 'labels', labels: 2 })) {
    const of = (n: number) => partitionRows(turns(500, 10), 10, how, seed(n))
    assert.deepEqual(of(1), of(1))
    assert.notDeepEqual(of(1), of(2))
  }
})

test('iid parts are equally large up to one row, and hold every class about equally often', () => {
  const labels = turns(10_000, 10)
  const parts = partitionRows(labels, 7, { kind: 'iid' }, seed(1))
  const sizes = parts.map(({ length }) => length)
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
  // 143 expected, deviation 11: five of them either way.
  assert.ok(
    classCounts(labels, parts, 10)
      .flat()
      .every((count) => count > 86 && count < 200),
  )
})

test('parts of a Dirichlet draw have its mean and variance, from tiny alphas to large ones [L-76]', () => {
  for (const alpha of [0.05, 0.3, 1, 5, 100]) {
    const [draws, K] = [4_000, 5]
    let [sum, squares] = [0, 0]
    for (let i = 0; i < draws; i++) {
      const parts = dirichletParts(new RandomStream(seed(9), 41, i), K, alpha)
      assert.ok(Math.abs(parts.reduce((a, b) => a + b, 0) - 1) < 1e-12)
      sum += parts[2]!
      squares += parts[2]! * parts[2]!
    }
    const mean = sum / draws
    // A part is Beta(α, (K − 1)α): mean 1/K, variance (1/K)(1 − 1/K)/(Kα + 1).
    const variance = (0.2 * 0.8) / (K * alpha + 1)
    assert.ok(Math.abs(mean - 0.2) < 5 * Math.sqrt(variance / draws), `mean ${mean} at alpha ${alpha}`)
    const seen = squares / draws - mean * mean
    assert.ok(Math.abs(seen / variance - 1) < 0.15, `variance ${seen}, expected ${variance} at alpha ${alpha}`)
  }
})

test('a tiny alpha puts each class at one client, a huge one divides it equally [L-76]', () => {
  const labels = turns(1_000, 10)
  const tiny = classCounts(labels, partitionRows(labels, 5, { kind: 'dirichlet', alpha: 1e-6 }, seed(4)), 10)
  for (let k = 0; k < 10; k++) assert.ok(Math.max(...tiny.map((counts) => counts[k]!)) >= 99)
  const huge = classCounts(labels, partitionRows(labels, 5, { kind: 'dirichlet', alpha: 1e6 }, seed(4)), 10)
  assert.ok(huge.flat().every((count) => Math.abs(count - 20) <= 1))
})

test('a client has rows of so many classes and no more, and every class is somewhere [L-77]', () => {
  const labels = turns(3_000, 10)
  for (const [clients, k] of [
    [10, 1],
    [10, 2],
    [5, 2],
    [3, 4],
    [25, 3],
  ] as const) {
    const counts = classCounts(labels, partitionRows(labels, clients, { kind: 'labels', labels: k }, seed(k)), 10)
    assert.ok(counts.every((of) => of.filter((count) => count > 0).length === k))
    counts.forEach((of, c) => {
      assert.ok(clients < 10 || of[c % 10]! > 0, 'the first class of a client is its number, modulo the classes')
    })
    for (let label = 0; label < 10; label++) {
      const held = counts.map((of) => of[label]!).filter((count) => count > 0)
      assert.ok(Math.max(...held) - Math.min(...held) <= 1, 'the clients of a class share it equally')
    }
  }
})

test('a column divides rows as it says', () => {
  const sites = Int32Array.of(2, 0, 1, 0, 2, 2)
  assert.deepEqual(partitionRows(sites, 3, { kind: 'column', column: 'site' }, seed(1)), [
    Uint32Array.of(1, 3),
    Uint32Array.of(2),
    Uint32Array.of(0, 4, 5),
  ])
})

test('what cannot be divided is refused with the reason [L-75] [L-76] [L-77]', () => {
  const column: Partition = { kind: 'column', column: 'site' }
  assert.equal(refusal(turns(9, 3), 10, { kind: 'iid' }), 'TOO_MANY_CLIENTS')
  assert.equal(refusal(turns(9, 3), 0, { kind: 'iid' }), 'BAD_CLIENTS')
  assert.equal(refusal(turns(9, 3), 1.5, { kind: 'iid' }), 'BAD_CLIENTS')
  assert.equal(refusal(new Int32Array(0), 1, { kind: 'iid' }), 'EMPTY_DATA')
  assert.equal(refusal(Int32Array.of(0, -1), 1, { kind: 'iid' }), 'BAD_LABEL')
  assert.equal(refusal(new Int32Array(9), 3, { kind: 'dirichlet', alpha: 1 }), 'ONE_CLASS')
  assert.equal(refusal(new Int32Array(9), 3, { kind: 'labels', labels: 1 }), 'ONE_CLASS')
  assert.equal(refusal(turns(90, 3), 3, { kind: 'labels', labels: 4 }), 'TOO_MANY_LABELS')
  assert.equal(refusal(turns(90, 10), 3, { kind: 'labels', labels: 2 }), 'TOO_FEW_LABELS')
  assert.equal(refusal(Int32Array.of(0, 0, 2), 3, column), 'EMPTY_CLIENT')
  assert.equal(refusal(Int32Array.of(0, 1, 2), 2, column), 'BAD_LABEL')
})

test('every form of a partition reads back as it is written, and no other', () => {
  for (const how of [...partitions, { kind: 'column', column: 'a:b' } as const]) {
    assert.deepEqual(parsePartition(partitionText(how)), how)
  }
  for (const text of [
    '',
    'iid:',
    'iid:3',
    'dirichlet',
    'dirichlet:0',
    'dirichlet:-1',
    'dirichlet:1e9',
    'dirichlet:0x1',
    'labels:0',
    'labels:1.5',
    'labels',
    'by-column:',
    'dirchlet:1',
  ]) {
    assert.throws(() => parsePartition(text), { code: 'BAD_PARTITION' }, text)
  }
})

test('selected rows keep their inputs and targets', () => {
  const inputs = Float32Array.from({ length: 12 }, (_, i) => i)
  const picked = selectRows({ kind: 'rows', inputs, targets: Int32Array.of(5, 6, 7, 8) }, Uint32Array.of(1, 3), 4)
  assert.deepEqual([...picked.inputs], [3, 4, 5, 9, 10, 11])
  assert.deepEqual(picked.targets, Int32Array.of(6, 8))
})

test('a text is dealt out in whole pieces, nothing lost and nothing twice', () => {
  const tokens = Int32Array.from({ length: 1_003 }, (_, i) => i)
  const parts = partitionTokens(tokens, 4, 20, seed(1))
  assert.deepEqual(Int32Array.from(parts.flatMap((part) => [...part])).sort(), tokens)
  assert.ok(parts.every((part) => part.length >= 240))
  assert.notDeepEqual(parts[0], tokens.slice(0, parts[0]!.length))
  assert.throws(() => partitionTokens(tokens, 51, 20, seed(1)), { code: 'TOO_MANY_CLIENTS' })
})
