import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { explainScore } from './explainScore.ts'
import { payByContribution } from './payByContribution.ts'
import { equalisedScales, leaveOneOutValues, type RoundContribution, roundContribution } from './roundContribution.ts'
import { scoreContributions } from './scoreContributions.ts'
import { settleContribution } from './settleContribution.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const close = (seen: number, expected: number): void =>
  assert.ok(Math.abs(seen - expected) < 1e-12, `${seen}, expected ${expected}`)

/** Shapley values by their definition: the mean over all orders of what each adds to those before it. */
function shapley(players: number, worth: (coalition: readonly number[]) => number): number[] {
  const values = new Array<number>(players).fill(0)
  let orders = 0
  const visit = (before: readonly number[]): void => {
    if (before.length === players) {
      orders++
      before.forEach((player, i) => {
        values[player]! += worth(before.slice(0, i + 1)) - worth(before.slice(0, i))
      })
    }
    for (let player = 0; player < players; player++) if (!before.includes(player)) visit([...before, player])
  }
  visit([])
  return values.map((value) => value / orders)
}

test('second-order values are the Shapley values of a quadratic loss, by definition, and add up to what the round took off [L-60]', () => {
  // L(θ) = ½ θᵀHθ + cᵀθ in three dimensions.
  const H = [
    [2, 0.5, -0.25],
    [0.5, 1, 0.75],
    [-0.25, 0.75, 3],
  ]
  const c = [0.5, -1, 0.25]
  const loss = (x: readonly number[]): number =>
    sum(x.map((xi, i) => c[i]! * xi + (xi * sum(H[i]!.map((h, j) => h * x[j]!))) / 2))
  const gradient = (x: readonly number[]): Float64Array =>
    Float64Array.from(x, (_, i) => c[i]! + sum(H[i]!.map((h, j) => h * x[j]!)))
  const base = [1, -1, 0.5]
  const updates = [f32(0.5, 0.25, 0), f32(-0.25, 0.5, 1), f32(1, 0, 0.5), f32(0.25, -0.5, 0.25)]
  const [weights, scales] = [f32(0.5, 0.25, 0.125, 0.125), [1, 0.5, 2, 1]]
  const after = (coalition: readonly number[]): number[] =>
    base.map((x, j) => x - sum(coalition.map((i) => weights[i]! * scales[i]! * updates[i]![j]!)))
  const next = after([0, 1, 2, 3])
  const view = { round: 1, members: [0, 1, 2, 3], updates, weights, scales }
  const { values } = roundContribution(view, gradient(base), gradient(next))
  const expected = shapley(4, (coalition) => loss(base) - loss(after(coalition)))
  for (const [i, value] of values.entries()) close(value, expected[i]!)
  close(sum(values), loss(base) - loss(next))
  // First order: products with the gradient at the base alone.
  const first = roundContribution({ ...view, scales: undefined }, gradient(base))
  close(first.values[0]!, 0.5 * (0.5 * gradient(base)[0]! + 0.25 * gradient(base)[1]!))
})

test('leave-one-out values are what the others alone would have taken off less, to first order [L-60]', () => {
  const updates = [f32(1), f32(3), f32(-1)]
  const weights = f32(0.5, 0.25, 0.25)
  const round = roundContribution({ round: 1, members: [0, 1, 2], updates, weights }, Float64Array.of(2))
  // Together 2·(0.5 + 0.75 − 0.25) = 2; without the first (3·½ − 1·½)·2 = 2, without the second 2·(⅔ − ⅓), without the third 2·(⅔ + 1).
  const [first, second, third] = leaveOneOutValues(round, weights)
  close(first!, 0)
  close(second!, 2 - 2 / 3)
  close(third!, 2 - 10 / 3)
  assert.deepEqual(leaveOneOutValues({ round: 1, members: [0], values: [5] }, f32(1)), [5])
})

test('the scales of the reference rule bring every update to the length that the rule gives it [L-60]', () => {
  const updates = [f32(3, 4), f32(0, 1), f32(0, 0), f32(2, 0)]
  assert.deepEqual(equalisedScales(updates, f32(1, 1, 0, 1), f32(9, 0)), [0.4, 2, 0, 1])
  assert.deepEqual(equalisedScales(updates, f32(1, 1, 0, 1), f32(1, 0)), [0.2, 1, 0, 0.5])
})

test('a round whose numbers do not fit together is refused', () => {
  const view = { round: 1, members: [0], updates: [f32(1, 2)], weights: f32(1) }
  assert.throws(() => roundContribution(view, Float64Array.of(1)), {
    code: 'SHAPE',
    message: /2 numbers, the gradient 1/,
  })
  assert.throws(() => roundContribution({ ...view, members: [0, 1] }, Float64Array.of(1, 1)), { code: 'SHAPE' })
})

const rounds: RoundContribution[] = [
  { round: 1, members: [0, 1, 2, 3], values: [1, 2, 100, -1] },
  { round: 2, members: [0, 1, 3], values: [2, -5, 0.5] },
]

test('a value is capped in its round, keeps its sign in the sum, and only the sum is cut at 0 [L-61]', () => {
  const [a, b, c, d] = scoreContributions(rounds, 4, undefined, { capMedians: 3 })
  // Positive values of round 1: 1, 2, 100, lower median 2, cap 6. Of round 2: 0.5 and 2, cap 1.5.
  assert.equal(a!.score, 1 + 1.5)
  assert.equal(b!.score, 0, '2 − 5 is below 0')
  assert.equal(c!.score, 6)
  assert.equal(d!.score, 0, '−1 + 0.5 is below 0')
  assert.deepEqual([a!.share, c!.share], [2.5 / 8.5, 6 / 8.5])
  assert.deepEqual(c!.rounds, [{ round: 1, value: 100, cap: 6, flag: undefined, counted: 6 }])
})

test('a flagged round earns nothing and still costs what it did harm [L-61]', () => {
  const flags = (round: number, participant: number) =>
    round === 1 && [2, 3].includes(participant) ? ({ kind: 'replay' } as const) : undefined
  const scores = scoreContributions(rounds, 4, flags)
  assert.equal(scores[2]!.score, 0)
  assert.equal(scores[3]!.rounds[0]!.counted, -1)
})

test('noise of an even sign earns less the longer it goes on, unlike scores that are cut in every round [L-61]', () => {
  const random = new RandomStream(utf8('noise'), 99, 0)
  const many = Array.from({ length: 400 }, (_, r) => ({
    round: r + 1,
    members: [0, 1],
    values: [1, random.normal(r)],
  }))
  const [honest, noise] = scoreContributions(many, 2)
  const cutEachRound = sum(many.map(({ values }) => Math.max(0, values[1]!)))
  assert.ok(noise!.score < 0.1 * honest!.score, `${noise!.score} of ${honest!.score}`)
  assert.ok(cutEachRound > 0.3 * honest!.score)
})

test('values that are no numbers, strangers and caps below the median are refused', () => {
  const bad =
    (values: number[], members = [0]): (() => unknown) =>
    () =>
      scoreContributions([{ round: 7, members, values }], 1)
  assert.throws(bad([Number.NaN]), { code: 'BAD_CONTRIBUTION', message: /participant 0 in round 7 is NaN/ })
  assert.throws(bad([]), { code: 'BAD_CONTRIBUTION' })
  assert.throws(bad([1], [1]), { code: 'BAD_CONTRIBUTION', message: /participant 1 is none of the 1/ })
  assert.throws(() => scoreContributions([], 1, undefined, { capMedians: 0.5 }), { code: 'BAD_CONTRIBUTION' })
})

test('a pot is paid out to the unit, in proportion, whatever the scores [L-62]', () => {
  assert.deepEqual(payByContribution([1, 0, 3], 100n), { paid: [25n, 0n, 75n], left: 0n })
  // Remainders ⅔, ⅔, ⅔ of a unit: two units over, to the lower numbers.
  assert.deepEqual(payByContribution([1, 1, 1], 5n).paid, [2n, 2n, 1n])
  assert.deepEqual(payByContribution([0, 0], 9n), { paid: [0n, 0n], left: 9n })
  const random = new RandomStream(utf8('pots'), 99, 0)
  for (let i = 0; i < 200; i++) {
    const scores = Array.from({ length: 1 + (i % 9) }, (_, k) =>
      random.below(20 * i + k, 3) > 0 ? random.uniform(20 * i + k) : 0,
    )
    const pot = BigInt(random.word(20 * i + 19)) << BigInt(i % 50)
    const { paid, left } = payByContribution(scores, pot)
    assert.equal(
      paid.reduce((total, amount) => total + amount, left),
      pot,
    )
    paid.forEach((amount, k) => {
      if (scores[k] === 0) assert.equal(amount, 0n)
      for (const [l, other] of paid.entries()) if (scores[k]! > scores[l]!) assert.ok(amount >= other)
    })
  }
  assert.throws(() => payByContribution([1, -1], 1n), { code: 'BAD_CONTRIBUTION' })
  assert.throws(() => payByContribution([1], -1n), { code: 'BAD_CONTRIBUTION' })
})

test('who is caught loses the bond and leaves the pot to the others; nothing appears or vanishes [L-62]', () => {
  const terms = { pot: 1000n, fee: 10n, bond: 300n }
  const { paid, burned, left, gained } = settleContribution([1, 1, 2], terms, new Set([2]))
  assert.deepEqual(paid, [500n, 500n, 0n])
  assert.deepEqual(gained, [490n, 490n, -310n])
  assert.equal(burned, 300n)
  assert.equal(left, 0n)
  const all = settleContribution([1, 1], terms, new Set([0, 1]))
  assert.deepEqual([all.left, all.burned], [1000n, 600n])
  assert.throws(() => settleContribution([1], { ...terms, bond: -1n }, new Set()), { code: 'BAD_CONTRIBUTION' })
})

test('a score is explained round by round, in numbers that add up and sentences that stand alone [L-63]', () => {
  const flags = (round: number, participant: number) =>
    round === 2 && participant === 0 ? ({ kind: 'copy', of: 3 } as const) : undefined
  const scores = scoreContributions(rounds, 4, flags)
  const explained = scores.map(explainScore)
  assert.deepEqual(
    explained[0]!.rounds.map(({ words }) => words),
    [
      'Round 1: your update took 1 off the loss, and all of it counts.',
      "Round 2: your update took 2 off the loss; 0 counts, for it is a copy of participant 3's.",
    ],
  )
  assert.equal(
    explained[2]!.rounds[0]!.words,
    'Round 1: your update took 100 off the loss; 6 counts, the most in this round.',
  )
  assert.equal(explained[1]!.rounds[1]!.words, 'Round 2: your update added 5 to the loss, and all of it counts.')
  assert.ok(explained[1]!.words.includes('Together they made the model worse, so the score is 0.'))
  for (const [i, { rounds, score, words }] of explained.entries()) {
    assert.equal(Math.max(0, sum(rounds.map(({ counted }) => counted))), score)
    assert.match(words.at(-1)!, /^Your share of all scores is \d+\.\d\d %\.$/)
    assert.equal(explained[i]!.participant, i)
  }
})
