import { after, before, test } from 'node:test'
import type { Network } from './Network.ts'
import { setUpNetwork, stopNetwork } from './setUpNetwork.ts'
import { keepInvariants, seedsOf } from './soundSeeds.ts'

const seeds = seedsOf(1, 2)
let network: Network
before(async () => {
  network = await setUpNetwork()
})
after(() => stopNetwork(network))

test('keeps every invariant under the faults of the odd seeds [S-02 S-03 S-04 S-05 S-07 S-08]', {
  skip: seeds.length === 0,
}, async (context) => {
  context.diagnostic(await keepInvariants(network, seeds))
})
