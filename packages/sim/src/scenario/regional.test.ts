/** Rounds with clusters: two levels of aggregation (L-71) with keepers that crash, links that are cut and workers that lie. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createEngine } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import { type ClusterMean, openMean, sealMean } from './ClusterMean.ts'
import { runScenario } from './runScenario.ts'
import { checkScenario, defaultScenario, type Scenario } from './Scenario.ts'
import type { ScenarioReport } from './ScenarioReport.ts'
import type { ScenarioWorld } from './ScenarioWorld.ts'

const engine = await createEngine()
after(() => engine.close())

/** Two regions of four keepers, two workers each: small enough to be run once for each await. */
const tiny: Scenario = {
  ...defaultScenario,
  name: 'tiny',
  rounds: 2,
  workers: 4,
  keepers: 8,
  model: { hidden: [4] },
  training: { steps: 4, batch: 8, learningRate: 0.05 },
  pieces: 2,
  reassign: true,
  regions: [
    { name: 'east', part: 0.5, upMbit: 50, downMbit: 100 },
    { name: 'west', part: 0.5, upMbit: 20, downMbit: 50 },
  ],
  links: { nearMs: 10, farMs: 80, jitterPart: 0.5, lossPart: 0 },
  data: { ...defaultScenario.data, rowsPerWorker: 16, validationRows: 50, referenceRows: 16 },
  compression: { kind: 'dense', bits: 8 },
  aggregate: 'regional',
  crashes: { workerPart: 0, keepers: false, downMs: 1_500 },
  recompute: 'everyone',
}

/** Everything that may go wrong, at once. */
const stormy: Scenario = {
  ...tiny,
  name: 'stormy',
  rounds: 3,
  workers: 20,
  links: { ...tiny.links, lossPart: 0.02 },
  churn: { late: 3, joinPerRound: 2, leavePart: 0.05 },
  crashes: { workerPart: 0.2, keepers: true, downMs: 1_500 },
  partitions: [{ round: 2, region: 'west', afterMs: 300, forMs: 2_500 }],
  liars: [
    { kind: 'garbage', part: 0.1 },
    { kind: 'spoil', part: 0.1 },
    { kind: 'attack', part: 0.1, attack: { kind: 'signFlip' } },
  ],
}

/** A run; the seed stands in whatever goes wrong. */
async function run(scenario: Scenario, more: Partial<Parameters<typeof runScenario>[0]> = {}): Promise<ScenarioReport> {
  const report = await runScenario({ engine, scenario, ...more })
  assert.deepEqual(report.broken, [], `seed ${scenario.seed}: ${report.broken.join('; ')}`)
  assert.equal(report.rounds.length, scenario.rounds, `seed ${scenario.seed}`)
  return report
}

const between = ({ bytesBetween }: ScenarioReport, but = ''): number =>
  Object.entries(bytesBetween).reduce((sum, [kind, bytes]) => (kind === but ? sum : sum + bytes), 0)

test('gives the model of one level up to rounding, with fewer bytes between regions [S-14] [L-71]', async () => {
  const calm: Scenario = { ...tiny, rounds: 1, workers: 16, pieces: 1, model: { hidden: [16] } }
  const models: Float32Array[] = []
  let means: readonly ClusterMean[] = []
  const both: ScenarioReport[] = []
  for (const aggregate of ['flat', 'regional'] as const) {
    let world: ScenarioWorld | undefined
    both.push(
      await run(
        { ...calm, aggregate },
        {
          prepare: (one) => {
            world = one
            const { next } = one.regional
            const seen: typeof next = (base, given) => {
              means = given
              return next(base, given)
            }
            Object.assign(one, { regional: { ...one.regional, next: seen } })
          },
        },
      ),
    )
    models.push(world?.models.get(world.chain.roundAt(1)?.root ?? '')?.values ?? new Float32Array(0))
  }
  const [flat, regional] = both as [ScenarioReport, ScenarioReport]
  assert.deepEqual([flat.rounds[0]?.counted, regional.rounds[0]?.counted], [16, 16])
  const [one, two] = models as [Float32Array, Float32Array]
  assert.ok(one.length > 10_000 && two.length === one.length)
  const opened = means.map((mean) => openMean(mean, one.length))
  const weight = opened.reduce((sum, mean) => sum + mean.weight, 0)
  assert.equal(opened.length, 2)
  one.forEach((value, p) => {
    const size = opened.reduce((sum, mean) => sum + mean.weight * Math.abs(mean.update[p] ?? 0), 0) / weight
    // The bound of L-71 for the means, once more for how the flat one rounds its weights, and the rounding of both models.
    const most = 2 ** -23 * (2 * size + Math.abs(value)) + 1.5e-45
    const gap = Math.abs(value - (two[p] ?? 0))
    assert.ok(gap <= most, `value ${p} differs by ${gap}, at most ${most}`)
  })
  // Models that are fetched from afar do not count for either: who fetches from whom is chance in the flat run.
  const [all, few] = [between(flat, 'chunks'), between(regional, 'chunks')]
  assert.ok(few > 0 && 8 * few < all, `${few} bytes between regions, flat ${all}`)
  assert.equal(regional.bytesBetween.deliver, undefined)
  assert.ok(between(regional) < between(flat))
})

for (const seed of [1, 2, 3]) {
  test(`finishes seed ${seed} with every accepted update in one model, one mean a cluster, one model a round [S-10] [S-11] [S-14]`, async () => {
    const report = await run({ ...stormy, seed })
    assert.ok(report.accepted > 40, `seed ${seed}: only ${report.accepted} accepted`)
    assert.ok(report.crashes > 3 && report.joins > 0, `seed ${seed}`)
    // Twins of liars go to all keepers: those of the other cluster refuse them.
    const refused = Object.keys(report.refused).join('\n')
    assert.match(refused, /share n is for the keepers of its own cluster \(L-n\)/, `seed ${seed}`)
  })
}

test('gives the same mark for the same seed and another for another [S-09]', async () => {
  const small = { ...stormy, workers: 8, rounds: 2 }
  const [one, again, other] = [await run(small), await run(small), await run({ ...small, seed: 77 })]
  assert.equal(one.mark, again.mark)
  assert.notEqual(one.mark, other.mark)
})

for (const [name, node] of [
  ['a keeper', 1],
  ['a worker', 9],
] as const) {
  test(`loses nothing accepted when ${name} of a cluster is killed at any of its awaits [S-12]`, async () => {
    let crashed = 0
    for (let count = 0, isReached = true; isReached; count += 6) {
      const seed = 1 + (count % 5)
      const { crashes, accepted } = await run({ ...tiny, seed }, { crashAt: { node, count: count + (seed % 6) } })
      isReached = crashes > 0
      crashed += crashes
      assert.ok(accepted >= 8, `seed ${seed}, await ${count}: ${accepted} accepted`)
    }
    assert.ok(crashed > 5, `${crashed} crashes`)
  })
}

const isStuck = (said: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), 'STUCK')
  assert.match((error as Error).message, said)
  return true
}

test('a cluster that never sees the others again is named by those who wait for its mean [S-13]', async () => {
  const apart: Scenario = {
    ...tiny,
    seed: 9,
    partitions: [{ round: 1, region: 'west', afterMs: 0, forMs: 1e9 }],
    limits: { ...tiny.limits, idleMs: 120_000 },
  }
  await assert.rejects(
    run(apart),
    isStuck(/keepers 0, 2, 4, 6 wait for the mean of cluster 1 of round 1 \(\d+\.\d s\).*Replay it with --seed 9\.$/),
  )
})

test('a cluster without enough keepers is named as well, whatever the others have [S-13]', async () => {
  const alone: Scenario = { ...tiny, seed: 9, limits: { ...tiny.limits, idleMs: 120_000 } }
  const goes = (world: ScenarioWorld): void => {
    for (const keeper of [1, 3])
      world.scheduler.after(900, { isAlive: true }, () => world.machines[keeper]?.process?.kill())
  }
  await assert.rejects(
    run(alone, { prepare: goes }),
    isStuck(/keepers 0, 2, 4, 6 wait for the mean of round 1 of cluster 1 \(keepers 1, 3, 5, 7\)/),
  )
})

test('notices a keeper that has another mean of its cluster than the others [S-14]', async () => {
  const bent = await runScenario({
    engine,
    scenario: tiny,
    prepare: (world) => {
      const { meanOf } = world.regional
      let calls = 0
      const other = sealMean({ update: new Float32Array(world.parameters), weight: 1 })
      Object.assign(world, {
        regional: {
          ...world.regional,
          meanOf: (...given: Parameters<typeof meanOf>) => (++calls === 6 ? other : meanOf(...given)),
        },
      })
    },
  })
  assert.match(bent.broken.join(), /S-14: keepers of cluster \d hold 2 means of round 1/)
})

test('refuses a rule that weighs single updates, and regions without a keeper, with the reason [S-14]', () => {
  const refuses = (change: Partial<Scenario>, said: RegExp): void =>
    assert.throws(
      () => checkScenario({ ...tiny, ...change }),
      (error) => codeOf(error) === 'BAD_SCENARIO' && said.test((error as Error).message),
    )
  refuses(
    { rule: { kind: 'median' } },
    /rule must be mean or weighted with aggregate: regional \(.*one member\), got median/,
  )
  refuses({ keepers: 1 }, /keepers must be one for each of the 2 regions with aggregate: regional, got 1/)
  checkScenario({ ...tiny, rule: { kind: 'mean' } })
})
