import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactExp64, exactLog64 } from '@potluck/engine'
import { gaussianDelta } from './gaussianDelta.ts'
import { normalTail } from './normalTail.ts'
import type { PrivacyStep } from './PrivacyStep.ts'
import { pldDelta, pldEpsilon } from './pldEpsilon.ts'
import { privacyLoss } from './privacyLoss.ts'
import { rdpEpsilon } from './rdpEpsilon.ts'

const close = (seen: number, wanted: number, relative: number): void =>
  assert.ok(Math.abs(seen - wanted) <= relative * Math.abs(wanted), `${seen} is not ${wanted}`)

test('with everybody in every release, ε and δ are the exact Gaussian ones, from above [L-54]', () => {
  for (const [noise, steps] of [
    [1, 1],
    [0.4, 1],
    [10, 100],
    [50, 3_000],
    [300, 7],
  ] as const) {
    for (const epsilon of [0, 0.3, 1, 3]) {
      const exact = gaussianDelta(noise / Math.sqrt(steps), epsilon)
      const seen = pldDelta([{ noise, rate: 1, steps }], epsilon)
      assert.ok(seen >= exact && seen <= exact * 1.001 + 1e-12, `${noise} ${steps} ${epsilon}: ${seen} ${exact}`)
    }
  }
})

test('one sampled release has the δ of its integral, from above, in the worse direction [L-54]', () => {
  for (const [noise, rate] of [
    [0.7, 0.01],
    [1, 0.3],
    [3, 0.9],
  ] as const) {
    for (const epsilon of [0.01, 0.2, 1]) {
      // P(L > ε) − e^ε Q(L > ε): the loss passes ε at x, on the other side for an added unit.
      const cut = noise * noise * exactLog64((exactExp64(epsilon) - 1 + rate) / rate) + 0.5
      const without = normalTail(cut / noise)
      const removed = (1 - rate) * without + rate * normalTail((cut - 1) / noise) - exactExp64(epsilon) * without
      const ratio = (exactExp64(-epsilon) - 1 + rate) / rate
      const low = ratio > 0 ? noise * noise * exactLog64(ratio) + 0.5 : Number.NEGATIVE_INFINITY
      const under = normalTail(-low / noise)
      const mixture = (1 - rate) * under + rate * normalTail((1 - low) / noise)
      const exact = Math.max(removed, ratio > 0 ? under - exactExp64(epsilon) * mixture : 0)
      const seen = pldDelta([{ noise, rate, steps: 1 }], epsilon)
      assert.ok(seen >= exact - 1e-15 && seen <= exact * 1.001 + 1e-12, `${noise} ${rate} ${epsilon}: ${seen} ${exact}`)
    }
  }
})

/** ε of `steps` releases by plain convolution, each loss moved down (a lower bound) or up (an upper one) to the grid. */
function plainEpsilon(
  { noise, rate, steps }: PrivacyStep,
  delta: number,
  move: 'down' | 'up',
  spacing: number,
): number {
  const [bottom, cells, parts] = [Math.round(-4 / spacing), Math.round(16 / spacing), 40_000]
  let worst = 0
  for (const direction of ['remove', 'add'] as const) {
    const once = new Float64Array(cells)
    const [from, to] = [-9 * noise, 1 + 9 * noise]
    for (let i = 0; i < parts; i++) {
      const [a, b] = [from + ((to - from) * i) / parts, from + ((to - from) * (i + 1)) / parts]
      const without = normalTail(a / noise) - normalTail(b / noise)
      const joined = (1 - rate) * without + rate * (normalTail((a - 1) / noise) - normalTail((b - 1) / noise))
      const sign = direction === 'remove' ? 1 : -1
      const ends = [sign * privacyLoss({ noise, rate }, a), sign * privacyLoss({ noise, rate }, b)]
      const cell = move === 'down' ? Math.floor(Math.min(...ends) / spacing) : Math.ceil(Math.max(...ends) / spacing)
      once[Math.max(0, cell - bottom)]! += direction === 'remove' ? joined : without
    }
    let sum = once
    for (let step = 1; step < steps; step++) {
      const next = new Float64Array(cells)
      for (let i = 0; i < cells; i++) {
        if (sum[i]! < 1e-18) continue
        for (let j = 0; j < cells; j++) {
          const at = i + j + bottom
          if (at >= 0 && at < cells) next[at]! += sum[i]! * once[j]!
        }
      }
      sum = next
    }
    let [low, high] = [0, 12]
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2
      let reached = 0
      sum.forEach((p, at) => {
        const loss = (at + bottom) * spacing
        if (loss > middle) reached += p * (1 - exactExp64(middle - loss))
      })
      if (reached > delta) low = middle
      else high = middle
    }
    worst = Math.max(worst, low)
  }
  return worst
}

test('sampled releases lie between a lower and an upper bound by plain convolution, near the middle [L-54]', () => {
  for (const step of [
    { noise: 1, rate: 0.2, steps: 4 },
    { noise: 1.5, rate: 0.5, steps: 3 },
  ]) {
    const seen = pldEpsilon([step], 1e-4)
    const low = plainEpsilon(step, 1e-4, 'down', 0.01)
    const high = plainEpsilon(step, 1e-4, 'up', 0.01)
    assert.ok(low <= seen && seen <= high, `${low} ≤ ${seen} ≤ ${high}`)
    assert.ok(Math.abs(seen - (low + high) / 2) < 0.15 * (high - low))
  }
})

test('the loss distribution is tighter than Rényi divergences, for one kind of step and for several [L-54]', () => {
  for (const steps of [
    [{ noise: 1.1, rate: 0.01, steps: 5_000 }],
    [{ noise: 2, rate: 0.0064, steps: 782 }],
    [{ noise: 5, rate: 1, steps: 20 }],
    [
      { noise: 1, rate: 0.02, steps: 100 },
      { noise: 4, rate: 0.3, steps: 50 },
      { noise: 20, rate: 1, steps: 10 },
    ],
  ]) {
    const [rdp, pld] = [rdpEpsilon(steps, 1e-5).epsilon, pldEpsilon(steps, 1e-5)]
    assert.ok(pld < rdp && pld > 0.6 * rdp, `${pld} ${rdp}`)
  }
})

test('steps of several kinds add up: Gaussians to the exact one, and splitting a kind changes nothing [L-54]', () => {
  const kinds = [
    { noise: 10, rate: 1, steps: 50 },
    { noise: 20, rate: 1, steps: 200 },
  ]
  // 50/100 + 200/400 = 1: one release with noise 1.
  const exact = gaussianDelta(1, 2)
  const seen = pldDelta(kinds, 2)
  assert.ok(seen >= exact && seen < exact * 1.001)
  const whole = pldEpsilon([{ noise: 2, rate: 0.1, steps: 90 }], 1e-5)
  const split = pldEpsilon(
    [
      { noise: 2, rate: 0.1, steps: 60 },
      { noise: 2, rate: 0.1, steps: 30 },
    ],
    1e-5,
  )
  close(split, whole, 1e-9)
})

test('a coarser grid never gives less [L-54]', () => {
  const steps = [{ noise: 1.2, rate: 0.05, steps: 300 }]
  const [fine, middle, coarse] = [1e-6, 1e-4, 1e-2].map((widening) => pldEpsilon(steps, 1e-6, widening))
  assert.ok(fine! <= middle! && middle! <= coarse! && coarse! < 1.05 * fine!)
})
