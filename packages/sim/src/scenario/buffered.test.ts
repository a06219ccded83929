/** Runs without rounds (L-72): nobody waits, keepers agree on the order of deliveries, machines crash and come late. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createEngine } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import { runScenario } from './runScenario.ts'
import { checkScenario, defaultScenario, type Scenario } from './Scenario.ts'
import type { ScenarioReport } from './ScenarioReport.ts'
import type { ScenarioWorld } from './ScenarioWorld.ts'

const engine = await createEngine()
after(() => engine.close())

/** Four workers, three models of four deliveries: small enough to be run once for each await. */
const tiny: Scenario = {
  ...defaultScenario,
  name: 'tiny',
  rounds: 3,
  workers: 4,
  model: { hidden: [4] },
  training: { steps: 4, batch: 8, learningRate: 0.05 },
  buffered: { size: 4, staleness: 3 },
  data: { ...defaultScenario.data, rowsPerWorker: 16, validationRows: 50 },
  crashes: { workerPart: 0, keepers: false, downMs: 1_500 },
  recompute: 'everyone',
}

/** Everything that may go wrong, at once. */
const stormy: Scenario = {
  ...tiny,
  name: 'stormy',
  rounds: 8,
  workers: 20,
  buffered: { size: 8, staleness: 4 },
  regions: [
    { name: 'east', part: 0.6, upMbit: 50, downMbit: 100 },
    { name: 'west', part: 0.4, upMbit: 5, downMbit: 20 },
  ],
  links: { nearMs: 10, farMs: 80, jitterPart: 0.5, lossPart: 0.02 },
  churn: { late: 4, joinPerRound: 1, leavePart: 0.02 },
  crashes: { workerPart: 0.2, keepers: true, downMs: 1_000 },
  partitions: [{ round: 2, region: 'west', afterMs: 300, forMs: 2_500 }],
  liars: [
    { kind: 'garbage', part: 0.1 },
    { kind: 'spoil', part: 0.1 },
    { kind: 'attack', part: 0.05, attack: { kind: 'noise' } },
  ],
}

type More = Partial<Parameters<typeof runScenario>[0]>

/** A run and its world; the seed stands in whatever goes wrong. */
async function run(scenario: Scenario, more: More = {}): Promise<{ report: ScenarioReport; world: ScenarioWorld }> {
  let seen: ScenarioWorld | undefined
  const prepare = (world: ScenarioWorld): void => {
    seen = world
    more.prepare?.(world)
  }
  const report = await runScenario({ engine, scenario, ...more, prepare })
  assert.deepEqual(report.broken, [], `seed ${scenario.seed}: ${report.broken.join('; ')}`)
  assert.equal(report.rounds.length, scenario.rounds, `seed ${scenario.seed}`)
  return { report, world: seen as ScenarioWorld }
}

for (const seed of [1, 2, 3]) {
  test(`finishes seed ${seed}: every accepted update has one place, every model its deliveries, late joiners among them [S-10] [S-11] [S-15]`, async () => {
    const { report, world } = await run({ ...stormy, seed })
    for (const { counted } of report.rounds) assert.equal(counted, 8, `seed ${seed}`)
    assert.ok(report.crashes > 5 && report.joins > 2 && report.accepted >= 64, `seed ${seed}`)
    const late = new Set(world.workers.slice(-4).map(({ node }) => node))
    const theirs = world.chain.rounds
      .flatMap(({ set }) => set ?? [])
      .filter(({ key }) => late.has(Number(key.split('/')[1])))
    assert.ok(theirs.length > 0, `seed ${seed}: nothing of those that came late`)
    assert.ok(
      report.rounds.some((round) => round.late > 0),
      `seed ${seed}: nothing from an older model`,
    )
  })
}

test('gives the same mark for the same seed and another for another [S-09]', async () => {
  const small = { ...stormy, workers: 10, rounds: 3 }
  const [one, again, other] = [await run(small), await run(small), await run({ ...small, seed: 77 })]
  assert.equal(one.report.mark, again.report.mark)
  assert.notEqual(one.report.mark, other.report.mark)
})

for (const [name, node] of [
  ['a keeper', 1],
  ['a worker', 5],
] as const) {
  test(`loses nothing accepted when ${name} is killed at any of its awaits, without rounds [S-12] [S-15]`, async () => {
    let crashed = 0
    for (let count = 0, isReached = true; isReached; count += 3) {
      const seed = 1 + (count % 5)
      const { report } = await run({ ...tiny, seed }, { crashAt: { node, count: count + (seed % 3) } })
      isReached = report.crashes > 0
      crashed += report.crashes
      // A worker that is killed may never hear that its last update was accepted and counts.
      assert.ok(report.accepted >= 8, `seed ${seed}, await ${count + (seed % 3)}: ${report.accepted} accepted`)
      assert.deepEqual(
        report.rounds.map(({ counted }) => counted),
        [4, 4, 4],
        `seed ${seed}, await ${count + (seed % 3)}`,
      )
    }
    assert.ok(crashed > 6, `${crashed} crashes`)
  })
}

test('workers of unlike speed train nearly all the time, those in rounds wait for the slowest [S-15]', async () => {
  const unlike: Scenario = {
    ...tiny,
    workers: 10,
    training: { ...tiny.training, steps: 20 },
    speed: { least: 1, most: 6 },
    // Nobody is left behind: both do 1,600 steps that count.
    deadline: { ...tiny.deadline, leastMs: 40_000 },
  }
  const free = await run({ ...unlike, rounds: 16, buffered: { size: 5, staleness: 10 } })
  const { buffered: _, ...inRounds } = unlike
  const bound = await run({ ...inRounds, rounds: 8 })
  assert.deepEqual([free.report.steps.counted, bound.report.steps.counted], [1_600, 1_600])
  const [one, other] = [free.report.utilisation, bound.report.utilisation]
  assert.ok(one > 0.9 && other < 0.6, `utilisation ${one}, in rounds ${other}`)
  assert.ok(free.report.simulatedMs < bound.report.simulatedMs)
})

test('an update that is older than allowed is refused with its age, and its worker goes on [S-15] [L-72]', async () => {
  const strict: Scenario = {
    ...tiny,
    rounds: 12,
    workers: 6,
    speed: { least: 0.5, most: 8 },
    buffered: { size: 2, staleness: 2 },
  }
  const { report } = await run(strict)
  assert.match(Object.keys(report.refused).join('\n'), /the update is n models old, at most n count \(L-n\)/)
  assert.equal(report.steps.counted, 12 * 2 * 4)
})

test('a run whose keepers are gone says how many deliveries are missing and who has none of them [S-13]', async () => {
  const goes = (world: ScenarioWorld): void => {
    for (const keeper of [1, 3])
      world.scheduler.after(900, { isAlive: true }, () => world.machines[keeper]?.process?.kill())
  }
  const alone: Scenario = { ...tiny, seed: 9, limits: { ...tiny.limits, idleMs: 120_000 } }
  await assert.rejects(run(alone, { prepare: goes }), (error) => {
    const { message } = error as Error
    assert.equal(codeOf(error), 'STUCK')
    assert.match(message, /keepers 0, 2 wait for 4 more deliveries for model 1 \(\d+\.\d s\)/)
    assert.match(message, /workers \d[\d, ]* wait for 3 of 4 keepers to take a piece of round 1/)
    assert.match(message, /keepers 1, 3 are down\. Replay it with --seed 9\.$/)
    return true
  })
})

test('notices an accepted update without a place, and one that counts although it was too old [S-10] [S-15]', async () => {
  const deaf = await runScenario({
    engine,
    scenario: tiny,
    prepare: ({ chain }) => {
      const attest = chain.attest.bind(chain)
      chain.attest = (keeper, words) =>
        attest(
          keeper,
          words.filter(({ key }) => key !== '1/4/0'),
        )
    },
  })
  assert.match(deaf.broken.join(), /S-15: the accepted delivery [0-9a-f]+ of worker 4 got no place in the order/)
  const twice = await runScenario({
    engine,
    scenario: tiny,
    prepare: ({ chain }) => {
      const stepOf = chain.order?.stepOf.bind(chain.order)
      if (chain.order && stepOf) chain.order.stepOf = (model) => (model === 2 ? stepOf(1) : stepOf(model))
    },
  })
  assert.match(twice.broken.join(), /S-10: piece [\d/]+ counts twice/)
})

test('refuses what has no meaning without rounds, with the field and the reason [S-15]', () => {
  const refuses = (change: Partial<Scenario>, said: RegExp): void =>
    assert.throws(
      () => checkScenario({ ...tiny, ...change }),
      (error) => codeOf(error) === 'BAD_SCENARIO' && said.test((error as Error).message),
    )
  refuses({ buffered: { size: 0, staleness: 1 } }, /buffered\.size must be whole and at least 1, got 0/)
  refuses({ buffered: { size: 1, staleness: -1 } }, /buffered\.staleness must be whole and at least 0, got -1/)
  refuses({ rule: { kind: 'median' } }, /rule must be mean or weighted with buffered: .*, got median/)
  refuses({ aggregate: 'regional' }, /aggregate must be flat with buffered/)
  refuses({ pieces: 4 }, /pieces must be 1 with buffered/)
  refuses({ reassign: true }, /reassign must be false with buffered/)
  refuses({ assign: 'speed' }, /assign must be equal with buffered/)
})
