import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exactExp64, exactLog64 } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import { composePromises, laplaceScale } from './composePromises.ts'
import { gaussianDelta } from './gaussianDelta.ts'
import { noiseForBudget } from './noiseForBudget.ts'
import type { PrivacyStep } from './PrivacyStep.ts'
import { pldDelta, pldEpsilon } from './pldEpsilon.ts'
import { privacyLoss } from './privacyLoss.ts'
import { defaultOrders, epsilonOfDivergences, rdpEpsilon } from './rdpEpsilon.ts'
import { renyiDivergence } from './renyiDivergence.ts'

type Case = Record<string, unknown> & { kind: string }
const file = new URL('./vectors/accountants.json', import.meta.url)
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(file, 'utf8'))
/** The numbers of a published case. */
function published(kind: string): Record<string, number> & { orders: number[]; expected_rdp: number[] } {
  const found = cases.find((one) => one.kind === kind)
  assert.ok(found, kind)
  return found as never
}
const close = (seen: number, wanted: number, relative: number): void =>
  assert.ok(Math.abs(seen - wanted) <= relative * Math.abs(wanted), `${seen} is not ${wanted}`)

test('the published ε of a sampled Gaussian by Rényi divergences comes out [L-53]', () => {
  const { noise_multiplier, sample_rate, steps, delta, expected_epsilon, tolerance } = published(
    'rdp_subsampled_gaussian_epsilon',
  )
  const seen = rdpEpsilon([{ noise: noise_multiplier!, rate: sample_rate!, steps: steps! }], delta!)
  assert.ok(Math.abs(seen.epsilon - expected_epsilon!) < tolerance!)
  // TensorFlow Privacy's compute_dp_sgd_privacy_test: both at integer orders.
  close(rdpEpsilon([{ noise: 1.3, rate: 150 / 60_000, steps: 6_000 }], 1e-5).epsilon, 0.7242234026109595, 1e-10)
  close(rdpEpsilon([{ noise: 1, rate: 0.001, steps: 30_000 }], 1e-7).epsilon, 1.4154988495444842, 1e-10)
})

test('the published divergences come out, and the one said to be loose is not exceeded [L-53]', () => {
  const { noise_multiplier, sample_rate, steps, orders, expected_rdp, relative_tolerance } = published(
    'rdp_values_subsampled_gaussian',
  )
  orders.forEach((order, i) => {
    const seen = steps! * renyiDivergence({ noise: noise_multiplier!, rate: sample_rate! }, order)
    if (order === 1.5) assert.ok(seen > 6.49e-4 && seen <= expected_rdp[i]! * 1.001)
    else close(seen, expected_rdp[i]!, relative_tolerance!)
  })
  const plain = published('gaussian_rdp_formula')
  close(renyiDivergence({ noise: plain.noise_multiplier!, rate: 1 }, plain.order!), Number(plain.expected_rdp), 1e-14)
})

test('divergences of whole and fractional orders equal the integral of their definition [L-53]', () => {
  for (const [noise, rate, order] of [
    [2.5, 0.01, 1.5],
    [2.5, 0.01, 50],
    [0.8, 0.2, 1.1],
    [0.8, 0.2, 6.3],
    [1.5, 0.04, 3.9],
    [10, 0.5, 10.9],
  ] as const) {
    // E_{x~N(0,σ²)} e^(α·loss) by the trapezoidal rule, summed the plain way.
    const width = Math.min(noise / 8, (noise * noise) / 8)
    let sum = 0
    for (let x = -12 * noise; x < order + 12 * noise; x += width) {
      sum += exactExp64(order * privacyLoss({ noise, rate }, x) - (x * x) / (2 * noise * noise))
    }
    const moment = (sum * width) / (noise * Math.sqrt(2 * Math.PI))
    const wanted = exactLog64(moment) / (order - 1)
    assert.ok(Math.abs(renyiDivergence({ noise, rate }, order) - wanted) < 1e-12 + 1e-9 * wanted)
  }
})

test('divergences turn into ε as published, pure privacy included [L-53]', () => {
  const { rdp_every_order, delta, expected_epsilon, expected_order } = published('rdp_to_epsilon_pure')
  const orders = Array.from({ length: 31 }, (_, i) => i + 2)
  const seen = epsilonOfDivergences(
    orders,
    orders.map(() => rdp_every_order!),
    delta!,
  )
  close(seen.epsilon, expected_epsilon!, 1e-10)
  assert.equal(seen.order, expected_order)
})

test('the published noise for a budget comes out of either accountant [L-53] [L-54]', () => {
  const opacus = published('noise_for_epsilon_rdp')
  const budget = { epsilon: opacus.epsilon!, delta: opacus.delta!, rate: opacus.sample_rate! }
  const steps = Math.round(opacus.epochs! / opacus.sample_rate!)
  const noise = noiseForBudget({ ...budget, steps }, 'rdp')
  assert.ok(Math.abs(noise - opacus.expected_noise_multiplier!) <= opacus.tolerance!)
  assert.ok(pldEpsilon([{ noise, rate: budget.rate, steps }], budget.delta) < budget.epsilon)

  const gauss = published('smallest_gaussian_noise')
  close(
    noiseForBudget({ epsilon: gauss.epsilon!, delta: gauss.delta!, rate: 1, steps: gauss.queries! }),
    gauss.expected_std!,
    2e-6,
  )
  const sampled = published('smallest_subsampled_gaussian_noise_pld')
  const once = { epsilon: sampled.epsilon!, delta: sampled.delta!, rate: sampled.sample_rate!, steps: 1 }
  close(noiseForBudget(once), sampled.expected_std!, 1e-6)
})

test('the published δ and ε of the loss distribution come out [L-54]', () => {
  const { noise_multiplier, epsilon, expected_delta, tolerance } = published('gaussian_analytic_delta')
  const seen = pldDelta([{ noise: noise_multiplier!, rate: 1, steps: 1 }], epsilon!)
  assert.ok(Math.abs(seen - expected_delta!) < tolerance!)
  // TensorFlow Privacy's tests of its own PLD, and Opacus' PRV, which adds an error of 0.01 to what it found.
  close(pldEpsilon([{ noise: 0.7, rate: 0.01, steps: 120 }], 1e-5), 2.4612381, 1e-6)
  const prv = pldEpsilon([{ noise: 1.5, rate: 0.04, steps: 2_249 }], 1e-5)
  assert.ok(prv < 6.777395712150674 && prv > 6.777395712150674 - 0.011)
})

test('the Gaussian limit, no upper bound, lies where published, and below the true ε', () => {
  const found = published('gdp_clt_epsilon')
  const [low, high] = found.expected_epsilon_between as unknown as [number, number]
  const { noise_multiplier: noise, sample_rate: rate, steps, delta } = found
  const mu = rate! * Math.sqrt(steps! * (exactExp64(1 / (noise! * noise!)) - 1))
  let [below, above] = [0, 20]
  for (let i = 0; i < 50; i++) {
    const middle = (below + above) / 2
    if (gaussianDelta(1 / mu, middle) > delta!) below = middle
    else above = middle
  }
  assert.ok(above > low && above < high)
  assert.ok(above < pldEpsilon([{ noise: noise!, rate: rate!, steps: steps! }], delta!))
})

test('answers that only promise ε and δ compose as published', () => {
  const laplace = published('laplace_basic_composition')
  close(laplaceScale(laplace.sensitivity!, laplace.epsilon!, laplace.queries!), laplace.expected_parameter!, 1e-12)
  const advanced = published('advanced_composition')
  const seen = composePromises(
    { epsilon: advanced.epsilon!, delta: advanced.delta! },
    advanced.queries!,
    advanced.total_delta!,
  )
  close(seen, advanced.expected_total_epsilon!, 1e-12)
  assert.equal(composePromises({ epsilon: 1, delta: 0 }, 1, 0), 1)
  assert.throws(
    () => composePromises({ epsilon: 1, delta: 0.1 }, 3, 0.2),
    (error) => codeOf(error) === 'DELTA_TOO_SMALL',
  )
})

test('numbers that are no mechanism are refused, each with its field [L-53]', () => {
  const good = { noise: 1, rate: 0.1, steps: 10 }
  for (const [bad, field] of [
    [{ ...good, noise: 0.01 }, 'noise'],
    [{ ...good, noise: Number.NaN }, 'noise'],
    [{ ...good, rate: 0 }, 'rate'],
    [{ ...good, rate: 1.5 }, 'rate'],
    [{ ...good, steps: 0 }, 'steps'],
    [{ ...good, steps: 2.5 }, 'steps'],
  ] as const) {
    for (const epsilonOf of [pldEpsilon, (s: PrivacyStep[], d: number) => rdpEpsilon(s, d).epsilon]) {
      assert.throws(
        () => epsilonOf([bad], 1e-5),
        (error) => codeOf(error) === 'BAD_PRIVACY' && (error as { facts?: { field?: string } }).facts?.field === field,
      )
    }
  }
  assert.throws(() => rdpEpsilon([good], 0), { code: 'BAD_PRIVACY' })
  assert.throws(() => pldEpsilon([{ noise: 1, rate: 0.1, steps: 1_000_000 }], 1e-16), { code: 'DELTA_TOO_SMALL' })
  assert.ok(defaultOrders.every((order, i) => order > 1 && (i === 0 || order > defaultOrders[i - 1]!)))
})
