import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draw, type Loss, MaskedGroup, plainJob } from './testMaskedGroup.ts'
import { checkMaskedSums } from './testMaskedSums.ts'

test('gives all members one result when nothing is lost, by the first attempt of every step [P-46]', async () => {
  const group = new MaskedGroup(() => false)
  await group.run()
  await checkMaskedSums(group)
  for (let step = 0; step <= plainJob.maxSteps; step++) assert.equal(group.attemptsAt(step), 1)
})

test('completes a step by the attempt the others name, for a member that missed its sum [P-46]', async () => {
  // Member 2 hears no vector of step 1 for 8 s: longer than the silence after which it would give up alone.
  const group = new MaskedGroup(
    ({ message: { kind, body } }, to, nowMs) =>
      kind === 'masked' && body.step === 1 && to === 2 && nowMs < group.startedMs + 8_000,
  )
  await group.run()
  await checkMaskedSums(group)
  assert.equal(group.attemptsAt(1), 1, 'nobody began a second attempt at what others had completed')
})

test('begins anew with fresh keys and a fresh update when a member is cut off, and only at that step [P-46]', async () => {
  // From the first word of step 2 on member 1 is out of reach for 40 s.
  let fromMs = Number.POSITIVE_INFINITY
  const isCutOff: Loss = ({ from, message: { kind, body } }, to, nowMs) => {
    if ((kind === 'maskKey' || kind === 'masked') && body.step === 2) fromMs = Math.min(fromMs, nowMs)
    return (from === 1 || to === 1) && nowMs >= fromMs && nowMs < fromMs + 40_000
  }
  const group = new MaskedGroup(isCutOff)
  await group.run()
  await checkMaskedSums(group)
  assert.ok(group.attemptsAt(2) >= 2)
  assert.equal(group.attemptsAt(1), 1)
})

test('keeps to one answer for each attempt and one result under loss, for 3 seeds [P-46]', async () => {
  for (let seed = 0; seed < 3; seed++) {
    let count = 0
    const group = new MaskedGroup(() => draw(seed, count++) % 100 < 35)
    await atSeed(seed, group, () => group.run())
  }
})

test('keeps to them under loss and crashes, for 4 seeds [P-46]', async () => {
  for (let seed = 100; seed < 104; seed++) {
    let count = 0
    const group = new MaskedGroup(() => draw(seed, count++) % 100 < 20)
    const crash = (running: MaskedGroup): void => {
      if (draw(seed, 1n << 40n, count++) % 40 === 0) running.restart(draw(seed, 1n << 41n, count) % 3)
    }
    await atSeed(seed, group, () => group.run(crash))
  }
})

async function atSeed(seed: number, group: MaskedGroup, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    await checkMaskedSums(group)
  } catch (error) {
    assert.fail(`seed ${seed}: ${(error as Error).message}`)
  }
}
