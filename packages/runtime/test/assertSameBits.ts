import assert from 'node:assert/strict'

/** Equal length and equal bits, −0 and +0 apart; names the first element that differs. */
export function assertSameBits(seen: Float32Array, expected: Float32Array, what: string): void {
  const [a, b] = [seen, expected].map((values) => new Uint32Array(values.slice().buffer)) as [Uint32Array, Uint32Array]
  assert.equal(a.length, b.length, what)
  const at = a.findIndex((bits, i) => bits !== b[i])
  assert.equal(at, -1, `${what}[${at}] is ${seen[at]}, expected ${expected[at]}`)
}
