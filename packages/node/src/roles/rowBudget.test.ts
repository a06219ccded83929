import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spentEpsilon } from '@potluck/learning'
import type { TabularJob } from '@potluck/protocol'
import { draw, MaskedGroup, plainJob } from '../round/testMaskedGroup.ts'
import { checkMaskedSums } from '../round/testMaskedSums.ts'

const noisyJob: TabularJob = { ...plainJob, maxSteps: 2, noise: { multiplier: 4, dishonest: 1 } }
const budget = { epsilon: 3, delta: 1e-5 }

test('with noise and a budget each sum is charged once, also when members crash and say it again [P-59] [L-87]', async () => {
  let count = 0
  const group = new MaskedGroup(() => false, { document: noisyJob, budget })
  await group.run((running) => {
    if (draw(7, count++) % 20 === 0) running.restart(draw(8, count) % 3)
  })
  await checkMaskedSums(group)
  const sums = noisyJob.maxSteps + 1
  const alone = spentEpsilon({
    ...{ owner: 'a', dataset: 'b', budget },
    spent: [
      { job: 'j', round: 0, attempt: 1, release: `0x${'11'.repeat(32)}`, step: { noise: 4, rate: 1, steps: sums } },
    ],
  })
  for (const i of [0, 1, 2]) assert.ok(Math.abs(group.budgetOf(i).spent() - alone) < 1e-9)
})

test('an owner whose budget is spent answers no further sum, and the model is not made [P-59]', async () => {
  const group = new MaskedGroup(() => false, {
    document: { ...noisyJob, maxSteps: 8 },
    budget: { epsilon: 1.5, delta: 1e-5 },
  })
  for (let i = 0; i < 400; i++) {
    for (const member of [0, 1, 2]) await group.tick(member)
    group.nowMs += 250
  }
  assert.ok(group.budgetOf(0).spent() <= 1.5)
  assert.ok(group.attemptsAt(0) >= 1, 'what the budget allows is answered')
  assert.equal(group.attemptsAt(8), 0)
  assert.equal(group.digestOf(0), undefined)
})

test('an owner with a budget takes part in a job only where all of its sums fit, and says what would help [P-59]', () => {
  const group = new MaskedGroup(() => false, { document: noisyJob, budget })
  const own = group.budgetOf(0)
  assert.equal(own.refuses(noisyJob), undefined)
  assert.match(own.refuses(plainJob) ?? '', /adds no noise: ask its builder/)
  assert.match(own.refuses({ ...noisyJob, maxSteps: 90 }) ?? '', /\d+ of the job's 91 sums with noise 4 still fit/)
})
