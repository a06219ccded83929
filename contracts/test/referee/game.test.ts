import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Lie, STEP_LEAVES, STEPS } from '../support/exampleJob.ts'
import { makeRefereeWorld, playDispute, type RefereeWorld } from '../support/refereeWorld.ts'
import { startEvm } from '../support/startEvm.ts'

const { BEFORE, FIXED, TOKENS, UNIFORM, RATE, MIXED, ROW, PRODUCT, LARGEST, NEXT } = STEP_LEAVES

let world: RefereeWorld

before(async () => {
  world = await makeRefereeWorld(await startEvm())
})

const lies: Record<string, Lie> = {
  'the state before': { step: 1, leaf: BEFORE, element: 5, flip: 1 },
  'a fixed input': { step: 1, leaf: FIXED, element: 300, flip: 1 },
  'a token': { step: 0, leaf: TOKENS, element: 6, flip: 1 },
  'a random number': { step: 2, leaf: UNIFORM, element: 513, flip: 1 },
  'a rate': { step: 3, leaf: RATE, element: 0, flip: 0x00400000 },
  'an element of a map': { step: 1, leaf: MIXED, element: 301, flip: 1 },
  'a row sum': { step: 1, leaf: ROW, element: 0, flip: 1 },
  'a product': { step: 4, leaf: PRODUCT, element: 7, flip: 0x80000000 },
  'a row maximum': { step: 0, leaf: LARGEST, element: 1, flip: 0x00010000 },
  'a new weight': { step: 3, leaf: NEXT, element: 599, flip: 1 },
}

for (const [what, lie] of Object.entries(lies)) {
  // The state after is made to differ as well: else a lie that nothing reads would not be in the claim at all.
  const told = [lie, { step: lie.step, leaf: 10, element: 1024 + 599, flip: 1 }]

  test(`a worker that lies about ${what} loses to an honest challenger [D-13] [D-14] [D-15] [D-16]`, async () => {
    const { winner } = await playDispute(world, {
      claimRun: world.lying(told),
      challengerRun: world.honest,
      step: lie.step,
    })
    assert.equal(winner, 'challenger')
  })

  test(`a challenger that lies about ${what} loses to an honest worker [D-13] [D-14] [D-15] [D-16]`, async () => {
    const { winner } = await playDispute(world, {
      claimRun: world.honest,
      challengerRun: world.lying(told),
      step: lie.step,
    })
    assert.equal(winner, 'champion')
  })
}

for (const [what, lie] of Object.entries({
  'the base in the finish': { step: STEPS, leaf: 1, element: 2, flip: 1 },
  'the update': { step: STEPS, leaf: 2, element: 257, flip: 1 },
})) {
  const told = [lie]
  test(`a worker that lies about ${what} loses, and so does a challenger [D-11]`, async () => {
    const lying = world.lying(told)
    const caught = await playDispute(world, { claimRun: lying, challengerRun: world.honest, step: STEPS })
    assert.equal(caught.winner, 'challenger')
    const defended = await playDispute(world, { claimRun: world.honest, challengerRun: lying, step: STEPS })
    assert.equal(defended.winner, 'champion')
  })
}
