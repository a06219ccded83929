import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { networkName } from '@potluck/chain'
import { sealMessage } from '@potluck/protocol'
import { noFaults } from './Faults.ts'
import type { Network } from './Network.ts'
import { FIRST_VALIDATOR, VALIDATORS, WORKERS } from './nodePlans.ts'
import type { NodePlan } from './SimNode.ts'
import { setUpNetwork, stopNetwork } from './setUpNetwork.ts'
import { simulate } from './simulate.ts'
import { assertSound, isReplay, keepInvariants, seedsOf } from './soundSeeds.ts'

const seeds = seedsOf(0, 2)
let network: Network
before(async () => {
  network = await setUpNetwork()
})
after(() => stopNetwork(network))

test('keeps every invariant under the faults of the even seeds [S-02 S-03 S-04 S-05 S-07 S-08]', {
  skip: seeds.length === 0,
}, async (context) => {
  context.diagnostic(await keepInvariants(network, seeds))
})

test('runs a seed twice to the same history, event by event [S-01]', { skip: isReplay }, async () => {
  const first = await simulate({ network, seed: 3 })
  const second = await simulate({ network, seed: 3 })
  assert.equal(second.mark, first.mark)
  assert.deepEqual(second.story, first.story)
  const other = await simulate({ network, seed: 4 })
  assert.notEqual(other.mark, first.mark)
})

test('notices a job that nobody can finish [S-02]', { skip: isReplay }, async () => {
  const crashes = [0, 1, 2, 3].map((i) => ({ node: FIRST_VALIDATOR + i, afterMs: 3_000, downMs: 3_600_000 }))
  const { broken } = await simulate({ network, seed: 1, faults: { ...noFaults(), crashes } })
  assert.ok(broken.some((line) => line.includes('ended in phase')))
})

test('notices a private number and a bare vector in the open [S-06]', { skip: isReplay }, async () => {
  const owner = network.plans.at(-1) as NodePlan
  const { index, identity, table } = owner
  const { broken } = await simulate({
    network,
    seed: 1,
    faults: noFaults(),
    prepare: ({ links, scheduler }) => {
      const say = (vector: Uint8Array<ArrayBuffer>): void => {
        const body = { job: 1, round: 0, step: 900, attempt: 1, vector }
        const name = networkName(network.deployment)
        const bytes = sealMessage(name, { kind: 'masked', body }, scheduler.nowMs, identity.secret)
        links.publish(name, index, identity.key, bytes)
      }
      say(new Uint8Array(new Float64Array(table?.rows[0]?.inputs ?? []).buffer))
      say(new Uint8Array(80).fill(1, 5, 6))
    },
  })
  assert.ok(broken.some((line) => line.includes('private number')))
  assert.ok(broken.some((line) => line.includes('words bare')))
})

for (let place = 0; place < WORKERS; place++) {
  test(`catches the liar at worker ${place}, and pays it nothing [S-04]`, { skip: isReplay }, async () => {
    // Eight workers share five shares, so a seed may leave it without work.
    for (let seed = 1_000; seed < 1_010; seed++) {
      const report = await simulate({ network, seed, faults: { ...noFaults(), liar: place } })
      assertSound(report)
      if (report.lies === 0) continue
      assert.deepEqual(report.convicted, [place])
      return
    }
    assert.fail(`worker ${place} had no work in ten seeds`)
  })
}

for (let place = 0; place < VALIDATORS; place++) {
  test(`convicts validator ${place} of a result with one wrong weight, and nobody it disputes [S-04]`, {
    skip: isReplay,
  }, async () => {
    // A beacon decides whose turn it is: a seed may leave the liar without one.
    const twister = FIRST_VALIDATOR + place
    for (let seed = 2_000; seed < 2_010; seed++) {
      const report = await simulate({ network, seed, faults: { ...noFaults(), twister } })
      assertSound(report)
      assert.deepEqual(
        report.convicted.filter((node) => node !== twister),
        [],
      )
      if (report.convicted.includes(twister)) return
    }
    assert.fail(`validator ${place} had no turn in ten seeds`)
  })
}
