import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, type Hex, toHex } from '../bytes.ts'
import { abiEncode, keccak256 } from '../keccak.ts'
import { drawCommittee } from './drawCommittee.ts'
import { onionLayers } from './onionLayers.ts'

const seed = (i: number): Hex => toHex(keccak256(abiEncode(i)))

test('draws distinct members, everyone about as often, and all in order when there are too few [C-06]', () => {
  const drawn = new Array<number>(16).fill(0)
  for (let i = 0; i < 500; i++) {
    const members = drawCommittee(seed(i), 16, 11)
    assert.equal(new Set(members).size, 11)
    for (const member of members) drawn[member] = (drawn[member] as number) + 1
  }
  // 500 draws of 11 in 16 give each 344 on average, with a standard deviation of about 10.
  for (const times of drawn) assert.ok(times > 290 && times < 400, String(drawn))
  assert.deepEqual(drawCommittee(seed(0), 5, 7), [0, 1, 2, 3, 4])
  assert.deepEqual(drawCommittee(seed(0), 7, 7), [0, 1, 2, 3, 4, 5, 6])
})

test('starts each member at keccak(seed ‖ uint32) modulo the count and moves up past those taken', () => {
  const bytes = fromHex(seed(42))
  const start = (i: number) => Number(BigInt(toHex(keccak256(bytes, Uint8Array.of(0, 0, 0, i)))) % 9n)
  const expected: number[] = []
  for (let i = 0; i < 8; i++) {
    let at = start(i)
    while (expected.includes(at)) at = (at + 1) % 9
    expected.push(at)
  }
  assert.deepEqual(drawCommittee(seed(42), 9, 8), expected)
})

test('peels an onion one layer a reveal, down to a secret of 32 bytes', () => {
  const secret = new Uint8Array(32).fill(9)
  const layers = onionLayers(secret, 4)
  assert.equal(layers.length, 5)
  for (let k = 1; k < layers.length; k++) {
    assert.deepEqual(keccak256(layers[k] as Uint8Array), layers[k - 1])
  }
  assert.deepEqual(layers[4], secret)
  assert.throws(() => onionLayers(secret.subarray(1), 4), { code: 'BAD_SECRET' })
})
