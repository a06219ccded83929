import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { RandomStream, tensorRoot } from '@potluck/engine'
import { type Hex, toHex } from '@potluck/protocol'
import { type Arena, openArena } from './arena.ts'
import { baseOf, type LabJob, transformerJob, zooJob } from './labJobs.ts'
import { inputLie, inputLies, stateLie, stateLies } from './lies.ts'
import { hiddenHaltPlay, recklessPlay, selfChallenge, traitorChampion, wrongShape } from './oddLies.ts'
import type { Table } from './playMatch.ts'
import { syntheticDispute } from './syntheticDispute.ts'
import { playOne, tournament } from './tournament.ts'

const SEED = Number(process.env.SEED ?? 7)
const random = new RandomStream(Uint8Array.of(SEED), 99, 0)
let drawn = 0
const draw = (limit: number): number => random.below(drawn++, limit)

let arena: Arena
let players: [Hex, Hex, Hex]
let claims = 0

before(async () => {
  arena = await openArena()
  players = [await arena.player(1), await arena.player(2), await arena.player(3)]
})
after(() => arena.close())

async function tableOf(lab: LabJob, base = baseOf(lab.size, 3)): Promise<Table> {
  const jobId = await arena.createJob(toHex(lab.job.root), toHex(tensorRoot(base)))
  const [worker, other] = players
  return { arena, lab, jobId, fromBlock: (await arena.block()) + 1n, worker, other, number: ++claims, base }
}

for (const lab of [zooJob(), transformerJob()]) {
  for (const name of [...inputLies, ...stateLies]) {
    test(`[D-14] the honest side wins, as challenger and as defender, against ${name} in the ${lab.name}`, async () => {
      for (const liar of ['worker', 'other'] as const) {
        for (let tries = 0, dispute: Awaited<ReturnType<typeof playOne>>; !dispute && tries < 10; tries++) {
          const lie = (inputLies as readonly string[]).includes(name)
            ? inputLie(name as (typeof inputLies)[number], lab.job, draw)
            : stateLie(name as (typeof stateLies)[number], lab.job, draw)
          if (!lie) return
          dispute = await playOne(await tableOf(lab), lie, liar)
          if (dispute) assert.ok(dispute.caught, `${name} by the ${liar}, seed ${SEED}, ended by ${dispute.ending}`)
        }
      }
    })
  }
}

test('[D-13] [D-15] [D-16] [D-17] the honest side wins 60 random disputes over operators', async () => {
  const { tried, caught, disputes } = await tournament({ seed: SEED, disputes: 60 })
  const lost = disputes.filter((dispute) => !dispute.caught).map(({ lie, label, liar }) => `${lie}, ${label}, ${liar}`)
  assert.deepEqual(lost, [])
  assert.equal(caught, tried)
})

test('[D-05] the honest side wins against a stop that is hidden, as challenger and as defender', async () => {
  const lab = zooJob()
  const huge = baseOf(lab.size, 3).map((x) => Math.fround(x * 3e38))
  for (const liar of ['worker', 'other'] as const) {
    const { isWrong } = await hiddenHaltPlay(await tableOf(lab, huge), liar)
    assert.equal(isWrong, liar === 'worker')
  }
})

test('[D-11] a liar that challenges itself and loses does not save its claim', async () => {
  const { isWrong, did } = await selfChallenge(await tableOf(transformerJob()), players[2], draw)
  assert.ok(isWrong, did.join(', '))
})

test('[D-12] a champion that plays badly does not harm a claim that is right', async () => {
  const { isWrong, did } = await traitorChampion(await tableOf(transformerJob()), players[2], draw)
  assert.ok(!isWrong, did.join(', '))
  assert.equal(did.filter((what) => what.startsWith('standUp')).length, 2)
})

test('[D-04] [D-12] a states root of another shape falls by silence', async () => {
  const { isWrong } = await wrongShape(await tableOf(transformerJob()))
  assert.ok(isWrong)
})

test('[D-13] [D-18] whoever reveals nonsense loses, as challenger and as defender', async () => {
  for (const liar of ['worker', 'other'] as const) {
    for (let game = 0; game < 3; game++) {
      const { isWrong, did } = await recklessPlay(await tableOf(transformerJob()), draw, liar)
      assert.equal(isWrong, liar === 'worker', `${liar}, seed ${SEED}: ${did.join(', ')}`)
    }
  }
})

test('[D-13] a dispute over 1,000 steps of 2,000 operators with 2^22 sums of 4,096 takes at most 24 moves and 3 M gas', async () => {
  for (const liar of ['worker', 'other'] as const) {
    const { moves, gas, caught } = await syntheticDispute(liar)
    assert.ok(caught)
    assert.ok(moves <= 24, `${moves} moves`)
    assert.ok(gas <= 3_000_000n, `${gas} gas`)
  }
})
