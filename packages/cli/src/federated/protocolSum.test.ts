import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protocolSum } from './protocolSum.ts'

test('the protocol gives the plain sum of the words to the bit, and counts more bytes than the words alone', async () => {
  const sum = await protocolSum(new Uint8Array(32).fill(3))
  const ids = ['east', 'north', 'south', 'client-12']
  const length = 50
  const words = new Map(
    ids.map((id, m) => [id, Uint32Array.from({ length }, (_, i) => (0x9e3779b9 * (i + 1) * (m + 1)) >>> 0)]),
  )
  const plain = Uint32Array.from({ length }, (_, i) => [...words.values()].reduce((all, one) => all + one[i]!, 0))
  for (const round of [1, 2]) {
    const { words: seen, bytes } = sum(round, words)
    assert.deepEqual(seen, plain)
    assert.ok(bytes > 4 * 4 * length && bytes < 20_000, String(bytes))
  }
  assert.throws(() => sum(1, new Map([...words].slice(0, 2))), { code: 'BAD_GROUP' })
})
