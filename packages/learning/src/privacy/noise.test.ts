import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactExp64 } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { addRing, ringWords } from '../secureSum/ring.ts'
import { decodeRing, encodeRing } from '../secureSum/ringFixed.ts'
import { wordStream } from '../secureSum/wordStream.ts'
import { addGaussian } from './addGaussian.ts'
import { clipToNorm } from './clipToNorm.ts'
import { discreteGaussian } from './discreteGaussian.ts'
import { gaussianStream } from './gaussianStream.ts'
import { normalTail } from './normalTail.ts'
import { addNoiseShare, addUserNoise, noiseShare } from './userNoise.ts'

const words = (text: string): (() => bigint) => wordStream(sha256(utf8(text)))

/** Mean, variance, skewness and kurtosis. */
function moments(values: readonly number[]): number[] {
  const n = values.length
  const mean = values.reduce((sum, x) => sum + x, 0) / n
  const central = (k: number): number =>
    values.reduce((sum, x) => sum + Array.from({ length: k }, () => x - mean).reduce((a, b) => a * b, 1), 0) / n
  const variance = central(2)
  return [mean, variance, central(3) / (variance * Math.sqrt(variance)), central(4) / (variance * variance)]
}

test('normal numbers have the moments and the tails of a normal [L-56]', () => {
  const n = 200_000
  const normal = gaussianStream(words('moments'))
  const values = Array.from({ length: n }, normal)
  const [mean, variance, skewness, kurtosis] = moments(values) as [number, number, number, number]
  // Four standard errors of each.
  const bound = (variance: number): number => 4 * Math.sqrt(variance / n)
  assert.ok(Math.abs(mean) < bound(1))
  assert.ok(Math.abs(variance - 1) < bound(2))
  assert.ok(Math.abs(skewness) < bound(6))
  assert.ok(Math.abs(kurtosis - 3) < bound(24))
  for (const z of [0.5, 1, 2, 3, 3.7]) {
    const wanted = normalTail(z)
    for (const sign of [1, -1]) {
      const seen = values.filter((x) => sign * x > z).length / n
      assert.ok(Math.abs(seen - wanted) < bound(wanted * (1 - wanted)), `P(Z > ${z}) came out as ${seen}`)
    }
  }
  assert.ok(values.some((x) => Math.abs(x) > 4))
})

test('the noise is a function of its secret words, and the second of a pair is kept', () => {
  const [a, b] = [gaussianStream(words('one')), gaussianStream(words('one'))]
  for (let i = 0; i < 9; i++) assert.equal(a(), b())
  assert.notEqual(gaussianStream(words('two'))(), gaussianStream(words('one'))())
})

test('discrete normal numbers have the probabilities of their definition [L-57]', () => {
  for (const [top, bottom] of [
    [1n, 4n],
    [9n, 2n],
    [400n, 1n],
  ] as const) {
    const n = 12_000
    const next = words(`discrete ${top}/${bottom}`)
    const counts = new Map<number, number>()
    for (let i = 0; i < n; i++) {
      const x = Number(discreteGaussian({ top, bottom }, next))
      counts.set(x, (counts.get(x) ?? 0) + 1)
    }
    const variance = Number(top) / Number(bottom)
    const weight = (x: number): number => exactExp64((-x * x) / (2 * variance))
    let total = 0
    for (let x = -400; x <= 400; x++) total += weight(x)
    // Chi-square over the cells that expect 10 and more, against its mean plus four deviations.
    let [square, cells] = [0, 0]
    for (let x = -400; x <= 400; x++) {
      const wanted = (n * weight(x)) / total
      if (wanted < 10) continue
      const off = (counts.get(x) ?? 0) - wanted
      square += (off * off) / wanted
      cells++
    }
    assert.ok(square < cells + 4 * Math.sqrt(2 * cells), `${top}/${bottom}: ${square} over ${cells} cells`)
  }
  assert.throws(() => discreteGaussian({ top: 0n, bottom: 1n }, words('none')), { code: 'BAD_PRIVACY' })
})

test('a wide discrete normal has the variance of its fraction', () => {
  const next = words('wide')
  const values = Array.from({ length: 3_000 }, () => Number(discreteGaussian({ top: 1n << 60n, bottom: 3n }, next)))
  const scale = Math.sqrt(Number(1n << 60n) / 3)
  const [mean, variance] = moments(values.map((x) => x / scale)) as [number, number]
  assert.ok(Math.abs(mean) < 0.08 && Math.abs(variance - 1) < 0.11)
})

test('a clipped vector keeps its direction and never exceeds the clip, also in f32 [L-56]', () => {
  const normal = gaussianStream(words('clip'))
  for (let i = 0; i < 200; i++) {
    const values = Float32Array.from({ length: 1 + (i % 40) }, () => 10 * normal())
    const clip = 0.1 + Math.abs(normal())
    const clipped = clipToNorm(values, clip)
    const norm = Math.sqrt(clipped.reduce((sum, x) => sum + x * x, 0))
    assert.ok(norm <= clip, `${norm} over ${clip}`)
    const whole = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0))
    if (whole > clip) assert.ok(norm > clip * (1 - 2e-6))
    else if (whole < clip * 0.999) assert.equal(clipped, values)
  }
  assert.throws(() => clipToNorm(Float32Array.of(1, Number.NaN), 1), { code: 'NAN' })
  assert.throws(() => clipToNorm(Float32Array.of(Number.POSITIVE_INFINITY), 1), { code: 'NAN' })
})

test('noised numbers lie on a grid that is coarse beside the gaps of f64', () => {
  const values = new Float64Array(1_000).fill(1 / 3)
  addGaussian(values, 0.7, gaussianStream(words('grid')))
  const grid = 1 / 131_072
  assert.ok(values.every((x) => Number.isInteger(x / grid)))
  assert.ok(new Set(values).size > 950)
  assert.throws(() => addGaussian(values, 0, () => 0), { code: 'BAD_PRIVACY' })
})

test('an update gets noise of clip times multiplier around its clipped self [L-56]', () => {
  const update = new Float32Array(4_000).fill(1)
  const noised = addUserNoise(update, 2, 1.5, words('user'))
  const clipped = 2 / Math.sqrt(4_000)
  const [mean, variance] = moments([...noised].map((x) => (x - clipped) / 3)) as [number, number]
  assert.ok(Math.abs(mean) < 0.07 && Math.abs(variance - 1) < 0.1)
  assert.throws(() => addUserNoise(update, 2, 0, words('user')), { code: 'BAD_PRIVACY' })
  assert.throws(() => addUserNoise(update, -1, 1, words('user')), { code: 'BAD_PRIVACY' })
})

test('shares of noise add up to the promised one, and to it without the dishonest [L-57]', () => {
  const share = { clipSteps: 100, multiplier: 2, members: 5, dishonest: 2 }
  const length = 1_500
  const parts = Array.from({ length: 5 }, (_, i) => noiseShare(length, share, words(`share ${i}`)))
  const summed = (members: readonly bigint[][]): number[] =>
    Array.from({ length }, (_, j) => Number(members.reduce((sum, part) => sum + part[j]!, 0n)) / 200)
  const [, all] = moments(summed(parts)) as [number, number]
  const [, honest] = moments(summed(parts.slice(2))) as [number, number]
  assert.ok(Math.abs(honest - 1) < 0.16, `the honest leave a variance of ${honest}`)
  assert.ok(Math.abs(all - 5 / 3) < 0.27, `all leave ${all}`)
  assert.throws(() => noiseShare(1, { ...share, dishonest: 5 }, words('x')), { code: 'BAD_PRIVACY' })
  assert.throws(() => noiseShare(1, { ...share, clipSteps: 1 }, words('x')), { code: 'BAD_PRIVACY' })
})

test('a ring sum of noised updates is the sum of the clipped ones and of the promised noise, to the bit [L-57]', () => {
  const format = { bits: 32, fractionBits: 16, members: 3 } as const
  const length = 1_000
  const update = new Float32Array(length).fill(1)
  const sum = ringWords(32, length)
  const plain = new Float64Array(length)
  for (let member = 0; member < 3; member++) {
    const noise = { clip: 1, multiplier: 3, dishonest: 0 }
    const noised = addNoiseShare(update, noise, format, words(`member ${member}`))
    noised.forEach((value, i) => {
      plain[i]! += value
    })
    addRing(sum, encodeRing(noised, format))
  }
  const decoded = decodeRing(sum, format)
  assert.deepEqual(decoded, plain)
  const clipped = 3 / Math.sqrt(length)
  const [mean, variance] = moments([...decoded].map((x) => (x - clipped) / 3)) as [number, number]
  assert.ok(Math.abs(mean) < 0.13 && Math.abs(variance - 1) < 0.18)
  const narrow = { bits: 16, fractionBits: 14, members: 3 } as const
  const wide = addNoiseShare(update, { clip: 1, multiplier: 3, dishonest: 0 }, narrow, words('narrow'))
  assert.throws(() => encodeRing(wide, narrow), { code: 'NO_HEADROOM' })
})
