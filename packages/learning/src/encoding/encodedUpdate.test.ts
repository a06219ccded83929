import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, createReferenceEngine, type Engine, RandomStream } from '@potluck/engine'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { blockOf } from './blockOf.ts'
import { type DenseEncoding, denseLevels } from './denseLevels.ts'
import { encodedUpdateProgram } from './encodedUpdateProgram.ts'
import { packedBytes, packUpdate } from './packUpdate.ts'
import { unpackUpdate } from './unpackUpdate.ts'

const encodings = Object.keys(denseLevels) as DenseEncoding[]
const round = Math.fround

async function encode(engine: Engine, base: Float32Array, parameters: Float32Array, encoding: DenseEncoding) {
  const execution = await engine.prepare(encodedUpdateProgram(base.length, encoding))
  execution.write('base', base)
  execution.write('parameters', parameters)
  execution.run()
  return Float32Array.from(execution.read('update'))
}

/** Two models that lie as far apart as a round moves one; some tensors do not move at all. */
function models(seed: string, size: number, still = 0): [Float32Array, Float32Array] {
  const random = new RandomStream(sha256(utf8(seed)), 99, 0)
  const base = Float32Array.from({ length: size }, (_, i) => random.normal(i) / 4)
  return [base, base.map((x, i) => (i < still ? x : round(x - 0.02 * random.normal(size + i))))]
}

/** Eight strided partials and their tree (E-11). */
function strided(values: readonly number[]): number {
  const p = new Array<number>(8).fill(0)
  for (const [k, value] of values.entries()) p[k % 8] = round(p[k % 8]! + value)
  for (const apart of [4, 2, 1]) for (let i = 0; i < apart; i++) p[i] = round(p[i]! + p[i + apart]!)
  return p[0]!
}

function byHand(base: Float32Array, parameters: Float32Array, encoding: DenseEncoding): Float32Array {
  const { most } = denseLevels[encoding]
  const block = blockOf(base.length)
  const update = new Float32Array(base.length)
  const word = new DataView(new ArrayBuffer(4))
  for (let start = 0; start < base.length; start += block) {
    const d = Array.from({ length: block }, (_, i) => round(base[start + i]! - parameters[start + i]!))
    const sizes = d.map(Math.abs)
    const wanted = encoding === 'dense2' ? strided(sizes) * round(1.5 / block) : Math.max(...sizes) * round(1 / most)
    word.setFloat32(0, round(wanted))
    word.setUint8(3, 0)
    const scale = word.getFloat32(0)
    const level = (x: number): number => {
      const down = Math.floor(x)
      const nearest = x - down === 0.5 ? down + (down & 1) : Math.round(x)
      return Math.min(most, Math.max(-most, nearest)) + 0
    }
    d.forEach((x, i) => {
      update[start + i] = scale === 0 ? 0 : level(round(x / scale)) * scale
    })
  }
  return update
}

test('[P-52] every executor moves an update to the levels of the rule done by hand, and the bytes carry it whole', async () => {
  const engines = [await createEngine(), createReferenceEngine()]
  for (const encoding of encodings) {
    for (const [size, still] of [
      [1_024, 0],
      [3 * 832, 900],
      [8 * 131, 40],
      [50, 0],
    ] as const) {
      const [base, parameters] = models(`${encoding} ${size}`, size, still)
      const expected = byHand(base, parameters, encoding)
      for (const engine of engines) assert.deepEqual(await encode(engine, base, parameters, encoding), expected)
      const bytes = packUpdate(expected, encoding)
      assert.equal(bytes.length, packedBytes(size, encoding))
      assert.deepEqual(unpackUpdate(bytes, size, encoding), expected)
    }
  }
})

test('[P-52] more bits keep more of the direction: cosines of at least 0.9999, 0.98 and 0.89 at 3.9, 7.8 and 15.5 times fewer bytes', async () => {
  const size = 4_096
  const [base, parameters] = models('direction', size)
  const plain = base.map((x, i) => round(x - parameters[i]!))
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
  const engine = await createEngine()
  for (const [encoding, least, times] of [
    ['dense8', 0.9999, 3.9],
    ['dense4', 0.98, 7.8],
    ['dense2', 0.89, 15.5],
  ] as const) {
    const update = await encode(engine, base, parameters, encoding)
    const cosine = dot(plain, update) / Math.sqrt(dot(plain, plain) * dot(update, update))
    assert.ok(cosine > least, `${encoding} keeps a cosine of ${cosine}`)
    assert.ok((4 * size) / packUpdate(update, encoding).length > times)
  }
})

test('[P-52] a model that has not moved, or by less than counts, gives an update of zeros', async () => {
  const base = models('still', 64)[0]
  for (const encoding of encodings) {
    for (const parameters of [base, new Float32Array(64).fill(1e-30)]) {
      const from = parameters === base ? base : new Float32Array(64)
      const update = await encode(await createEngine(), from, parameters, encoding)
      assert.deepEqual(update, new Float32Array(64))
      assert.deepEqual(unpackUpdate(packUpdate(update, encoding), 64, encoding), update)
    }
  }
})

test('[P-52] a model that ran away gives numbers that aggregation leaves out, not zeros', async () => {
  const runaway = new Float32Array(64).fill(-3e38)
  for (const encoding of encodings) {
    const update = await encode(await createEngine(), new Float32Array(64), runaway, encoding)
    assert.ok(update.every((x) => x > 1_048_576 && Number.isFinite(x)))
    assert.deepEqual(unpackUpdate(packUpdate(update, encoding), 64, encoding), update)
  }
})

test('[P-53] what is accepted is what packing writes: any changed byte is refused or means another update', async () => {
  for (const encoding of encodings) {
    const [base, parameters] = models('changed', 50)
    const bytes = packUpdate(await encode(await createEngine(), base, parameters, encoding), encoding)
    let refused = 0
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const changed = bytes.with(at, bytes[at]! ^ flip)
        try {
          assert.deepEqual(packUpdate(unpackUpdate(changed, 50, encoding), encoding), changed)
        } catch (error) {
          assert.equal(codeOf(error), 'BAD_UPDATE', String(error))
          refused++
        }
      }
    }
    assert.ok(refused > 0)
  }
})

test('[P-53] wrong lengths, scales that are none, codes without a level, other forms and set spare bits are refused with the reason', () => {
  const size = 50
  const whole = packUpdate(
    Float32Array.from({ length: size }, (_, i) => (i % 3) - 1),
    'dense2',
  )
  const refuses = (bytes: Uint8Array, reason: RegExp): void =>
    assert.throws(
      () => unpackUpdate(bytes, size, 'dense2'),
      (error: Error) => codeOf(error) === 'BAD_UPDATE' && reason.test(error.message),
    )
  const withScale = (value: number): Uint8Array => {
    const word = new DataView(new ArrayBuffer(4))
    word.setFloat32(0, value, true)
    const bytes = whole.slice()
    for (let i = 0; i < 3; i++) bytes[i] = word.getUint8(i + 1)
    return bytes
  }
  refuses(whole.subarray(1), /15 bytes, expected 16/)
  refuses(Uint8Array.from([...whole, 0]), /17 bytes, expected 16/)
  refuses(new Uint8Array(), /0 bytes/)
  for (const scale of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0, 1e-30, 3e38])
    refuses(withScale(scale), /has the scale/)
  refuses(whole.with(3, whole[3]! | 3), /element 0 has the code 3/)
  refuses(withScale(0), /another form/)
  refuses(whole.fill(0b01010101, 3, 15).with(15, 0b0101), /levels up to 0 with the scale 1/)
  const again = packUpdate(
    Float32Array.from({ length: size }, (_, i) => (i % 3) - 1),
    'dense2',
  )
  refuses(again.with(15, again[15]! | 0x40), /bits after the last level/)
})

test('[P-53] numbers that are no levels of their block are not packed', () => {
  for (const values of [
    [1, 0.5],
    [Number.NaN, 1],
    [1 / 3, 1],
    [3e38, Number.POSITIVE_INFINITY],
  ])
    assert.throws(
      () =>
        packUpdate(
          Float32Array.from({ length: 8 }, (_, i) => values[i % 2]!),
          'dense2',
        ),
      (error) => codeOf(error) === 'NOT_ENCODED',
    )
})

test('[P-52] blocks are the longest parts of at most 1,024; a size without parts of 8 is refused', () => {
  assert.deepEqual([1_024, 2_048, 64 * 1_703, 8 * 131, 50].map(blockOf), [1_024, 1_024, 832, 524, 50])
  assert.throws(
    () => blockOf(4 * 1_031),
    (error) => codeOf(error) === 'NO_BLOCKS',
  )
})
