import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { readSparse, writeSparse } from './codeSparse.ts'
import { keepLargest } from './keepLargest.ts'
import { fromScale, toScale } from './scale16.ts'
import { testTensors } from './testTensors.ts'

/**
 * A reader written from the specification alone: the code is one long integer, the model looks everything up in a list of what was sent
 * so far. Slow, and without a line in common with the real one.
 */
function naiveRead(bytes: Uint8Array, length: number, keep: number): Float32Array {
  let code = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) << 24n
  let unit = 1n << BigInt(8 * (bytes.length - 1))
  let range = 0xffffffffn
  const bit = (one: number): number => {
    const bound = (range >> 16n) * BigInt(one)
    const isOne = code < bound * unit
    if (!isOne) code -= bound * unit
    range = isOne ? bound : range - bound
    while (range < 1n << 24n) {
      range *= 256n
      unit /= 256n
    }
    return isOne ? 1 : 0
  }
  const odds = new Map<string, { seen: number; expected: number }>()
  const learned = (context: string, base = 0.5): number => {
    const o = odds.get(context) ?? { seen: 0.5, expected: 0.5 }
    const read = bit(Math.min(65520, Math.max(16, Math.floor((65536 * base * o.seen) / o.expected))))
    const [seen, expected] = [o.seen + read, o.expected + base]
    odds.set(context, expected > 64 ? { seen: seen / 2, expected: expected / 2 } : { seen, expected })
    return read
  }
  const even = (bits: number, start: number): number => {
    let x = start
    for (let i = 0; i < bits; i++) x = 2 * x + bit(0x8000)
    return x
  }
  const number = (name: string): number => {
    let bits = 0
    while (learned(`${name} longer ${bits}`) === 1) bits++
    if (bits === 0) return 0
    const sign = learned(`${name} sign`) === 1 ? -1 : 1
    return sign * (bits === 1 ? 1 : even(bits - 2, 2 + learned(`${name} second ${bits}`)))
  }

  const out = new Float32Array(length)
  const sent: { at: number; state: number }[] = []
  const distances = new Map<number, number>()
  let [low, gap, row, rowFrom, lastSign, lastLevel] = [toScale(0.001), 128, 0, 0, 0, 0]
  for (let start = 0; start < length; start += 4096) {
    const size = Math.min(4096, length - start)
    const count = learned('full') === 1 ? Math.min(keep, size) : even(13, 0)
    if (count > 0) {
      low += number('low')
      gap += number('gap')
    }
    let left = count
    for (let at = start; left > 0; at++) {
      const column = sent.findLast((one) => row > 0 && one.at >= rowFrom && (at - one.at) % row === 0)
      const rows = column ? (at - column.at) / row : 99
      const age = rows <= 1 ? 0 : rows <= 2 ? 1 : rows <= 4 ? 2 : rows <= 8 ? 3 : 4
      const near = Math.min(4, sent.filter((one) => one.at >= start && at - one.at <= 64).length)
      const places = start + size - at
      if (left < places && learned(`sent ${near} ${age}`, left / places) === 0) continue
      left--
      const state = column?.state ?? 0
      const sign = learned(`sign ${state} ${lastSign}`)
      const level = gap > 0 ? learned(`level ${state} ${lastLevel}`) : 0
      ;[lastSign, lastLevel] = [1 + sign, 1 + level]
      out[at] = (sign === 1 ? -1 : 1) * fromScale(level === 1 ? low + gap : low)
      sent.push({ at, state: 1 + 2 * sign + level })
    }
    for (const [distance, times] of distances) distances.set(distance, times * 0.75)
    const recent = sent.filter((one) => one.at >= start - 4096)
    recent.forEach((one, a) => {
      if (one.at < start) return
      for (const before of recent.slice(Math.max(0, a - 64), a)) {
        const distance = one.at - before.at
        if (distance < 4096) distances.set(distance, (distances.get(distance) ?? 0) + 1)
      }
    })
    let [most, longest] = [0, 0]
    for (let distance = 8; distance < 4096; distance++) {
      const times = distances.get(distance) ?? 0
      if (times > most) [most, longest] = [times * 1.1, distance]
    }
    if (longest !== row) [row, rowFrom] = [longest, start + 4096]
  }
  return out
}

for (const [name, values] of testTensors) {
  test(`a second reader, written from the specification, reads the same: ${name} [L-23]`, () => {
    const keep = 40
    const update = keepLargest(values, keep)
    const bytes = writeSparse(update, keep, new Uint8Array(0))
    assert.deepEqual(readSparse(bytes, 0, values.length, keep), update)
    assert.deepEqual(naiveRead(bytes, values.length, keep), update)
  })
}

test('64 of 4096 scattered values cost less than their numbered subset, sign, level and two halves would [L-23]', () => {
  const values = testTensors.get('near normal, 3 chunks and a rest')!.subarray(0, 3 * 4096)
  const bytes = writeSparse(keepLargest(values, 64), 64, new Uint8Array(0))
  // log2 C(4096, 64) = 471.7 bits; 64 signs, 64 levels, 32 bits of scales.
  assert.ok(8 * bytes.length < 3 * (471.7 + 128 + 32), `${bytes.length} bytes`)
})

test('where a matrix has busy columns, they are found and cost less [L-23]', () => {
  const chunks = 12
  const random = new RandomStream(Uint8Array.of(5), 96, 0)
  const bitsOf = (isBusy: (at: number) => boolean): number => {
    const values = Float32Array.from({ length: chunks * 4096 }, (_, i) => random.normal(i) * (isBusy(i) ? 1 : 0.001))
    return (8 * writeSparse(keepLargest(values, 64), 64, new Uint8Array(0)).length) / chunks
  }
  const anywhere = bitsOf(() => true)
  const inColumns = bitsOf((at) => (Math.imul(at % 1024, 0x9e3779b1) >>> 0) % 16 === 0)
  // Knowing the busy sixteenth would save log2 C(4096, 64) − log2 C(256, 64) = 266 bits.
  assert.ok(inColumns < anywhere - 100, `${inColumns} against ${anywhere} bits a chunk`)
})
