import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { noFaults } from './Faults.ts'
import type { Network } from './Network.ts'
import { setUpNetwork, stopNetwork } from './setUpNetwork.ts'
import { simulate } from './simulate.ts'
import { assertSound, isReplay } from './soundSeeds.ts'
import type { World } from './World.ts'

const OWNERS = 4
const FOR_GOOD_MS = 3_600_000

let network: Network
before(async () => {
  network = await setUpNetwork({ owners: OWNERS, leastMembers: 3 })
})
after(() => stopNetwork(network))

test('a private job ends in a model and pays who stayed when the node of a hospital dies for good [P-63]', {
  skip: isReplay,
}, async () => {
  let world: World | undefined
  const report = await simulate({
    network,
    seed: 4_000,
    // Whoever says the sixth vector of all: somebody in the second sum.
    faults: { ...noFaults(), crashAfterSaying: [{ kind: 'masked', nth: 6, afterMs: 0, downMs: FOR_GOOD_MS }] },
    prepare: (made) => {
      world = made
    },
  })
  assertSound(report)
  assert.ok(world)
  const gone = world.logs.find(({ event }) => event === 'CRASH')?.node
  const done = world.logs.filter(({ event }) => event === 'private training done')
  assert.deepEqual(
    done.map(({ facts }) => facts.members),
    [3, 3, 3],
  )
  assert.ok(done.every(({ node }) => node !== gone))
  const ends = world.events.filter(({ name, args }) => name === 'JobDone' && Number(args.jobId) === network.privateJob)
  assert.equal(ends.length, 1)
  assert.equal(BigInt(String(ends[0]?.args.payoutTotal)), 2_250_000n, 'three of four shares of 3 dollars')
})
