import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createEngine } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import { modelFileOf } from './ModelFile.ts'
import { runScenario } from './runScenario.ts'
import { defaultScenario, type Scenario } from './Scenario.ts'
import type { ScenarioReport } from './ScenarioReport.ts'

const engine = await createEngine()
after(() => engine.close())

/** Small enough for a second or two, with everything that may go wrong at once. */
const stormy: Scenario = {
  ...defaultScenario,
  name: 'stormy',
  rounds: 3,
  workers: 20,
  model: { hidden: [4] },
  training: { steps: 4, batch: 8, learningRate: 0.05 },
  pieces: 2,
  reassign: true,
  regions: [
    { name: 'east', part: 0.5, upMbit: 50, downMbit: 100 },
    { name: 'west', part: 0.3, upMbit: 20, downMbit: 50 },
    { name: 'south', part: 0.2, upMbit: 5, downMbit: 20 },
  ],
  links: { nearMs: 10, farMs: 80, jitterPart: 0.5, lossPart: 0.02 },
  data: { ...defaultScenario.data, rowsPerWorker: 16, validationRows: 50, referenceRows: 16 },
  compression: { kind: 'topk', keep: 64, feedback: 8 },
  churn: { late: 3, joinPerRound: 2, leavePart: 0.05 },
  crashes: { workerPart: 0.2, keepers: true, downMs: 1_500 },
  partitions: [{ round: 2, region: 'west', afterMs: 300, forMs: 2_500 }],
  liars: [
    { kind: 'garbage', part: 0.05 },
    { kind: 'spoil', part: 0.1 },
    { kind: 'attack', part: 0.1, attack: { kind: 'signFlip' } },
  ],
  recompute: 'everyone',
}

/** Four workers, two rounds: small enough to be run once for each await. */
const tiny: Scenario = {
  ...stormy,
  name: 'tiny',
  rounds: 2,
  workers: 4,
  reassign: true,
  links: { ...stormy.links, lossPart: 0 },
  churn: { late: 0, joinPerRound: 0, leavePart: 0 },
  crashes: { workerPart: 0, keepers: false, downMs: 1_500 },
  partitions: [],
  liars: [],
}

/** A run; the seed stands in whatever goes wrong. */
async function run(scenario: Scenario, more: Partial<Parameters<typeof runScenario>[0]> = {}): Promise<ScenarioReport> {
  const report = await runScenario({ engine, scenario, ...more })
  const replay = `potluck simulate … --seed ${scenario.seed}`
  assert.deepEqual(report.broken, [], `seed ${scenario.seed} (${replay}): ${report.broken.join('; ')}`)
  assert.equal(report.rounds.length, scenario.rounds, `seed ${scenario.seed} (${replay})`)
  return report
}

for (const seed of [1, 2]) {
  test(`finishes seed ${seed} with every accepted update in exactly one model and one model a round [S-10] [S-11]`, async () => {
    const report = await run({ ...stormy, seed })
    assert.ok(report.accepted > 40, `only ${report.accepted} accepted`)
    assert.ok(report.crashes > 3 && report.joins > 0 && report.messages > 500)
    const counted = report.rounds.reduce((sum, round) => sum + round.counted, 0)
    assert.ok(counted >= report.accepted)
  })
}

test('takes over the rest of a share whose worker is gone, from where it broke off [S-10]', async () => {
  const alone: Scenario = {
    ...tiny,
    workers: 6,
    pieces: 4,
    speed: { least: 2, most: 2 },
    crashes: { ...tiny.crashes, downMs: 60_000 },
  }
  // Killed in the midst of its work, away for longer than the round.
  const dies = { crashAt: { node: 6, count: 11, downMs: 60_000 } }
  const taken = await run(alone, dies)
  const left = await run({ ...alone, reassign: false }, dies)
  assert.equal(taken.crashes, 1)
  assert.ok(taken.rounds[0]!.takenOver > 0 && taken.rounds[0]!.counted === 24, JSON.stringify(taken.rounds[0]))
  assert.ok(left.rounds[0]!.takenOver === 0)
})

test('gives the same bits with threads as without [S-09]', async () => {
  const small = { ...stormy, workers: 6, rounds: 1, churn: tiny.churn }
  const [own, threaded] = [await run(small), await run(small, { threads: 2 })]
  assert.equal(threaded.mark, own.mark)
})

test('gives the same mark for the same seed and another for another [S-09]', async () => {
  const small = { ...stormy, workers: 8, rounds: 2 }
  const [one, again, other] = [await run(small), await run(small), await run({ ...small, seed: 77 })]
  assert.equal(one.mark, again.mark)
  assert.deepEqual(one.rounds, again.rounds)
  assert.notEqual(one.mark, other.mark)
})

for (const [name, node] of [
  ['a keeper', 1],
  ['a worker', 5],
] as const) {
  test(`loses nothing accepted when ${name} is killed at any of its awaits [S-12]`, async () => {
    let crashed = 0
    // Every fourth await, in turn of five seeds: each run is one of many histories.
    for (let count = 0, isReached = true; isReached; count += 4) {
      const seed = 1 + (count % 5)
      const { crashes, accepted } = await run({ ...tiny, seed }, { crashAt: { node, count: count + (seed % 4) } })
      isReached = crashes > 0
      crashed += crashes
      assert.ok(accepted >= 8, `await ${count}: ${accepted} accepted`)
    }
    assert.ok(crashed > 6, `${crashed} crashes`)
  })
}

test('a run that is stuck ends with who waits for what, and the seed that replays it [S-13]', async () => {
  const apart: Scenario = {
    ...tiny,
    seed: 9,
    regions: [
      { name: 'east', part: 0.5, upMbit: 50, downMbit: 50 },
      { name: 'west', part: 0.5, upMbit: 50, downMbit: 50 },
    ],
    // Two keepers on each side of a cut that never heals: neither side has three.
    partitions: [{ round: 1, region: 'west', afterMs: 0, forMs: 1e9 }],
    limits: { ...tiny.limits, idleMs: 120_000 },
  }
  await assert.rejects(run(apart), (error) => {
    const { message } = error as Error
    assert.equal(codeOf(error), 'STUCK')
    assert.match(message, /tiny, seed 9: nothing was delivered, fixed or computed for 120\.\d s, in round 1 of 2/)
    assert.match(message, /keepers 0, 2 wait for lists of round 1 from 1 of the keepers 1, 3 \(\d+\.\d s\)/)
    assert.match(message, /workers \d[\d, ]* wait for 3 of 4 keepers to take a piece of round 1/)
    assert.match(message, /Replay it with --seed 9\.$/)
    return true
  })
})

test('notices a node with other bits, and an accepted update that is in no model [S-10] [S-11]', async () => {
  const bent = await runScenario({
    engine,
    scenario: tiny,
    prepare: (world) => {
      const { aggregate } = world
      let calls = 0
      Object.assign(world, {
        aggregate: async (...given: Parameters<typeof aggregate>) => {
          const file = await aggregate(...given)
          if (++calls !== 3) return file
          return modelFileOf(file.values.map((value, i) => (i === 0 ? value + 1 : value)))
        },
      })
    },
  })
  assert.match(bent.broken.join(), /S-11: nodes hold 2 models for round 1/)
  const lost = await runScenario({
    engine,
    scenario: tiny,
    prepare: ({ chain }) => {
      const fix = chain.fixSet.bind(chain)
      chain.fixSet = (round, cluster, set, measured) => fix(round, cluster, set.slice(1), measured)
    },
  })
  assert.match(lost.broken.join(), /S-10: the accepted delivery [0-9a-f]+ of worker \d+ in round \d is in 0 models/)
})
