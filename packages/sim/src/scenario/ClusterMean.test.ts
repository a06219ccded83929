import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { isMean, openMean, sealMean } from './ClusterMean.ts'

const P = 1_003
const full = Float32Array.from({ length: P }, (_, p) => Math.fround((p - 500) / 7))
const thin = Float32Array.from({ length: P }, (_, p) => (p % 10 === 3 ? Math.fround(p / 9) : p % 10 === 5 ? -0 : 0))

test('the mean of a cluster comes back to the bit, minus zero included, in the shorter form [S-14]', () => {
  for (const [update, most] of [
    [full, 9 + 4 * P],
    [thin, 9 + 126 + 4 * 201],
    [new Float32Array(P), 9 + 126],
  ] as const) {
    const mean = sealMean({ update, weight: 2 ** 40 + 1 })
    const opened = openMean(mean, P)
    assert.equal(opened.weight, 2 ** 40 + 1)
    assert.deepEqual(new Uint32Array(opened.update.buffer), new Uint32Array(update.buffer))
    assert.ok(mean.bytes.length <= most, `${mean.bytes.length} bytes`)
  }
})

test('bytes with one bit changed are not those behind the id; a mean of another form, length or weight is refused [S-14]', () => {
  const mean = sealMean({ update: thin, weight: 7 })
  assert.ok(isMean(mean.bytes, mean.id))
  for (const at of [0, 1, 9, mean.bytes.length - 1])
    assert.ok(
      !isMean(
        mean.bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)),
        mean.id,
      ),
      `byte ${at}`,
    )
  assert.ok(!isMean(undefined, mean.id))
  const refuses = (bytes: Uint8Array, said: RegExp): void =>
    assert.throws(
      () => openMean({ id: '', bytes }, P),
      (error) => codeOf(error) === 'BAD_MEAN' && said.test((error as Error).message),
    )
  const bent = (at: number, value: number): Uint8Array => mean.bytes.map((byte, i) => (i === at ? value : byte))
  refuses(mean.bytes.subarray(0, 5), /5 bytes, at least 9/)
  refuses(bent(0, 2), /the form 2 is unknown/)
  refuses(bent(1, 0), /its weight is 0/)
  refuses(mean.bytes.subarray(0, mean.bytes.length - 4), /fewer values than its bits say/)
  refuses(new Uint8Array([...mean.bytes, 0, 0, 0, 0]), /bytes where its bits say/)
  refuses(sealMean({ update: full, weight: 1 }).bytes.subarray(0, 100), /91 bytes for 1003 values/)
})
