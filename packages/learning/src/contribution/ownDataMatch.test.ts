import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { ownDataMatch, trainsOnOwnData } from './ownDataMatch.ts'

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
test('who trained on its own batches matches them, and who copied, replayed or made noise does not [L-66]', () => {
  const n = 10
  const matches = Array.from({ length: n }, (): number[] => [])
  for (let round = 0; round < 8; round++) {
    const batches = Array.from({ length: n }, noise)
    const own = batches.map((batch) => mix([1, direction], [0.15, batch], [1, noise()]))
    const last = noise()
    const sent = own.map((update, i) =>
      i === 0 ? own[5]! : i === 1 ? last : i === 2 ? mix([1, direction], [1, last]) : update,
    )
    const products = sent.map((u) => batches.map((g) => u.reduce((sum, x, j) => sum + x * (g[j]! + direction[j]!), 0)))
    ownDataMatch(products).forEach((match, i) => void matches[i]!.push(match))
    if (round === 2) assert.equal(trainsOnOwnData(matches[0]!), undefined, 'too early to say')
  }
  assert.deepEqual(
    matches.map(trainsOnOwnData),
    Array.from({ length: n }, (_, i) => i > 2),
  )
})

test('a match is worked out by hand, is 0 among fewer than four, and refuses what is no square [L-66]', () => {
  // Effects 10·i of rows and 7·k of columns, 3 on one diagonal, and what no effect explains in two rows.
  const odd: Record<string, number> = { '0,0': 3, '0,1': 1, '0,2': -1, '3,1': -1, '3,2': 1 }
  const products = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((k) => 10 * i + 7 * k + (odd[`${i},${k}`] ?? 0)))
  const matches = ownDataMatch(products)
  for (const [i, match] of [3 / Math.sqrt(2 / 3), 0, 0, 0].entries()) {
    assert.ok(Math.abs(matches[i]! - match) < 1e-9, `${matches}`)
  }
  assert.deepEqual(ownDataMatch([[1]]), [0])
  assert.throws(() => ownDataMatch([[1, 2]]), { code: 'SHAPE' })
})
