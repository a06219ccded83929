import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { noFaults } from './Faults.ts'
import type { Network } from './Network.ts'
import { setUpNetwork, stopNetwork, WORKERS } from './setUpNetwork.ts'
import { simulate } from './simulate.ts'
import { assertSound, isReplay, keepInvariants, seedsOf } from './soundSeeds.ts'

const seeds = seedsOf(0, 2)
let network: Network
before(async () => {
  network = await setUpNetwork()
})
after(() => stopNetwork(network))

test('keeps every invariant under the faults of the even seeds', { skip: seeds.length === 0 }, async (context) => {
  context.diagnostic(await keepInvariants(network, seeds))
})

test('runs a seed twice to the same history, event by event', { skip: isReplay }, async () => {
  const first = await simulate({ network, seed: 3 })
  const second = await simulate({ network, seed: 3 })
  assert.equal(second.mark, first.mark)
  assert.deepEqual(second.story, first.story)
  const other = await simulate({ network, seed: 4 })
  assert.notEqual(other.mark, first.mark)
})

for (let place = 0; place < WORKERS; place++) {
  test(`catches the liar at worker ${place}, and pays it nothing`, { skip: isReplay }, async () => {
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
