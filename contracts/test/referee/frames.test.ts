import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { STEP_LEAVES } from '../support/exampleJob.ts'
import { makeRefereeWorld, playDispute, type RefereeWorld } from '../support/refereeWorld.ts'
import { startEvm } from '../support/startEvm.ts'

const { MIXED, NEXT, PRODUCT } = STEP_LEAVES

let world: RefereeWorld

before(async () => {
  // 131 trace leaves: eight levels, a row of two and one of six.
  world = await makeRefereeWorld(await startEvm(), 120)
})

for (const [what, leaf, element] of [
  ['in the deepest frame', MIXED, 3],
  ['of a sum', PRODUCT, 2],
  ['across the trace, from the state after to leaves in the first frame', 130, 259],
  ['of the new weights', NEXT, 300],
] as const) {
  test(`operands ${what} are proven under the frame that holds them, by either side [D-17]`, async () => {
    const lying = world.lying([
      { step: 1, leaf, element, flip: 1 },
      { step: 1, leaf: 130, element: 1030, flip: 1 },
    ])
    const caught = await playDispute(world, { claimRun: lying, challengerRun: world.honest, step: 1 })
    assert.equal(caught.winner, 'challenger')
    assert.ok(caught.moves.includes('pickNode'))
    const defended = await playDispute(world, { claimRun: world.honest, challengerRun: lying, step: 1 })
    assert.equal(defended.winner, 'champion')
  })
}
