import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draw, type Loss, MaskedGroup, plainJob } from './testMaskedGroup.ts'
import { checkMaskedSums } from './testMaskedSums.ts'

const jobOf = (members: number, leastMembers: number, maxSteps = 1) => ({
  ...plainJob,
  maxSteps,
  leastMembers,
  members: Array.from({ length: members }, (_, i) => i + 1),
})
type Each = (group: MaskedGroup) => void
type Way = { isLost: Loss; each: Each }

/** Member `who` is gone for good once it has said `count` things, the last of them to `heardBy` only. */
function leaver(who: number, count: number, heardBy: readonly number[]): Way {
  const said = new Map<string, unknown>()
  return {
    isLost: ({ from, message: { kind, body } }, to) => {
      if (from !== who || (kind !== 'maskKey' && kind !== 'masked')) return false
      const word = `${kind}/${body.step}/${body.attempt}`
      if (!said.has(word)) said.set(word, body)
      const place = [...said.keys()].indexOf(word) + 1
      if (place < count) return false
      return place > count || said.get(word) !== body || !heardBy.includes(to)
    },
    each: (group) => {
      if (said.size >= count) group.gone.add(who)
    },
  }
}

test('a member that goes for good at any word of its own, heard by all, by one or by nobody, does not stop the job [P-63]', async () => {
  for (const heardBy of [[0, 2, 3], [2], []]) {
    for (let count = 1; count <= 5; count++) {
      const place = `word ${count}, heard by ${heardBy}`
      const { isLost, each } = leaver(1, count, heardBy)
      const group = new MaskedGroup(isLost, { document: jobOf(4, 3) })
      await ended(place, group, each)
      const stayed = group.delivered().filter((i) => i !== 1)
      assert.deepEqual(stayed, [0, 2, 3], place)
      // Twice the longest repeat, 2 s, and what asking and agreeing takes.
      assert.ok(group.nowMs - group.startedMs <= 36_000, `${place}: ${group.nowMs - group.startedMs} ms`)
    }
  }
})

test('two of five that go at once are left out where the job says that three will do [P-63]', async () => {
  for (const [first, second] of [
    [1, 1],
    [2, 1],
    [2, 4],
    [3, 5],
  ] as const) {
    const ways = [leaver(0, first, [1]), leaver(3, second, [2])]
    const isLost: Loss = (...sent) => ways.map((way) => way.isLost(...sent)).includes(true)
    const group = new MaskedGroup(isLost, { document: jobOf(5, 3) })
    await ended(`words ${first} and ${second}`, group, (now) => {
      for (const { each } of ways) each(now)
    })
    for (const i of [1, 2, 4]) assert.ok(group.delivered().includes(i))
  }
})

test('a step that one member could complete with a vector of one that is gone is completed so by all, from its block [P-63]', async () => {
  // The last word of member 1 is its vector of step 1, and only member 2 hears it.
  const { isLost, each } = leaver(1, 4, [2])
  const group = new MaskedGroup(isLost, { document: jobOf(4, 3, 2) })
  await ended('with its block', group, each)
  assert.deepEqual(await group.groups(), [
    [0, 1, 2, 3],
    [0, 1, 2, 3],
    [0, 2, 3],
  ])
  assert.equal(group.attemptsAt(1), 1)
})

test('a member that was left out says so when it comes back, says nothing more, and the rest go on without it [P-63]', async () => {
  const [fromMs, untilMs] = [300, 90_000]
  const isCutOff: Loss = ({ from }, to, nowMs) => {
    const afterMs = nowMs - group.startedMs
    return (from === 2 || to === 2) && afterMs >= fromMs && afterMs < untilMs
  }
  const group = new MaskedGroup(isCutOff, { document: jobOf(4, 3, 4) })
  await ended('cut off', group)
  assert.deepEqual([...group.out], [2])
  assert.deepEqual(group.delivered(), [0, 1, 3])
  const last = group.sent.length
  await group.pass(60_000)
  assert.ok(group.sent.slice(last).every(({ from }) => from !== 2))
})

/** Member 0 hears everybody, and nobody hears it from its vector of step 1 on: it completes that step alone. */
function unheard(): Loss {
  let isGone = false
  return ({ from, message: { kind, body } }) => {
    if (from !== 0) return false
    isGone ||= kind === 'masked' && body.step === 1
    return isGone
  }
}

test('a member that finished alone delivers nothing, since the others finish without it [P-63]', async () => {
  const group = new MaskedGroup(unheard(), { document: jobOf(4, 3) })
  await ended('0 unheard', group)
  assert.deepEqual(group.delivered(), [1, 2, 3])
  assert.deepEqual([...group.out], [0])
})

test('who has answered without a member does not complete a step by what that one says later [P-63]', async () => {
  // Member 1 hears member 0 again once it has answered without it, and before it has the other vectors of that attempt.
  const isUnheard = unheard()
  let unheardMs = Number.POSITIVE_INFINITY
  let answeredMs = Number.POSITIVE_INFINITY
  const isLost: Loss = (sent, to, nowMs) => {
    const { from, message } = sent
    if (message.kind === 'masked' && message.body.step === 1 && message.body.attempt > 1) {
      if (from === 1) answeredMs = Math.min(answeredMs, nowMs)
      if (from === 2 && to === 1 && nowMs < answeredMs + 15_000) return true
    }
    if (isUnheard(sent, to, nowMs)) {
      unheardMs = Math.min(unheardMs, nowMs)
      return to !== 1 || nowMs < answeredMs
    }
    // It does not hear that it is left out, and goes on saying what it knows.
    return to === 0 && nowMs > unheardMs + 1_000
  }
  const group = new MaskedGroup(isLost, { document: jobOf(4, 3, 2) })
  group.isApart = (by, from, nowMs) => by === 1 && from !== 0 && nowMs < answeredMs + 15_000
  await group.pass(120_000)
  await checkMaskedSums(group)
  assert.ok(answeredMs < group.nowMs - 10_000)
  assert.deepEqual((await group.groups())[1], [1, 2, 3])
  assert.deepEqual(group.delivered(), [1, 2, 3])
})

test('a member that was away for less than others wait is not left out [P-63]', async () => {
  const isCutOff: Loss = ({ from }, to, nowMs) =>
    (from === 2 || to === 2) && nowMs - group.startedMs >= 300 && nowMs - group.startedMs < 15_000
  const group = new MaskedGroup(isCutOff, { document: jobOf(4, 3) })
  await ended('away for 15 s', group)
  assert.deepEqual(group.delivered(), [0, 1, 2, 3])
})

test('a member that is heard and hears nobody, and one whose vectors and blocks do not come, are left out in the end [P-63]', async () => {
  const losses: Loss[] = [(_, to) => to === 2, ({ from, message: { kind } }) => from === 2 && kind === 'masked']
  for (const [i, isLost] of losses.entries()) {
    const group = new MaskedGroup(isLost, { document: jobOf(4, 3) })
    group.isApart = (_, from) => from === 2
    await group.pass(120_000)
    assert.deepEqual(group.delivered(), [0, 1, 3], `loss ${i}`)
    await checkMaskedSums(group)
  }
})

test('two members that do not hear each other name two groups at once, and one of the groups goes on [P-63]', async () => {
  const isApart: Loss = ({ from }, to) => (from === 0 && to === 3) || (from === 3 && to === 0)
  const group = new MaskedGroup(isApart, { document: jobOf(4, 3) })
  await ended('0 and 3 apart', group)
  assert.equal((await group.groups()).at(-1)?.join(), '0,1,2')
  assert.deepEqual([...group.out], [3])
})

test('with fewer members than the job allows nothing goes on until they are back, and then it does over all [P-63]', async () => {
  const isSplit: Loss = ({ from }, to, nowMs) => from < 2 !== to < 2 && nowMs - group.startedMs < 180_000
  const group = new MaskedGroup(isSplit, { document: jobOf(4, 3) })
  await group.pass(180_000)
  assert.deepEqual(group.delivered(), [])
  assert.equal(group.attemptsAt(0), 0)
  await ended('after the split', group)
  assert.deepEqual(group.delivered(), [0, 1, 2, 3])
})

test('a job that does not say how few will do waits for a member that is gone, and says nothing of groups [P-46]', async () => {
  const { isLost, each } = leaver(1, 2, [0, 2, 3])
  const { leastMembers: _, ...document } = jobOf(4, 3)
  const group = new MaskedGroup(isLost, { document })
  await group.pass(120_000, { each })
  assert.deepEqual(group.delivered(), [])
  for (const { message } of group.sent) assert.ok(!('group' in message.body) && !('sum' in message.body))
})

test('a member whose budget is spent leaves a job that may go on without it [P-63] [P-59]', async () => {
  const budgetOf = (member: number) => ({ epsilon: member === 1 ? 0.1 : 30, delta: 1e-5 })
  const document = { ...jobOf(4, 3), noise: { multiplier: 4, dishonest: 1 } }
  const group = new MaskedGroup(() => false, { document, budgetOf })
  await ended('a small budget', group)
  assert.deepEqual([...group.out], [1])
  assert.deepEqual(group.delivered(), [0, 2, 3])
  assert.equal(group.budgetOf(1).spent(), 0)
})

test('keeps to one result and to its groups when members go, are cut off, crash and lose messages, for 6 seeds [P-63]', async () => {
  for (let seed = 0; seed < 6; seed++) {
    let count = 0
    const random = (below: number): number => draw(seed, 1n << 40n, count++) % below
    const [cut, gone, goneMs, cutMs] = [random(5), random(5), random(12_000), random(12_000)]
    const isLost: Loss = ({ from }, to, nowMs) => {
      const afterMs = nowMs - group.startedMs
      const isCut = (from === cut || to === cut) && afterMs >= cutMs && afterMs < cutMs + 40_000
      return isCut || random(100) < 20
    }
    const group = new MaskedGroup(isLost, { document: jobOf(5, 3) })
    await ended(`seed ${seed}`, group, () => {
      if (group.nowMs - group.startedMs >= goneMs) group.gone.add(gone)
      const crashed = random(200)
      if (crashed < 5 && !group.gone.has(crashed)) group.restart(crashed)
    })
  }
})

async function ended(place: string, group: MaskedGroup, each?: Each): Promise<void> {
  try {
    await group.run(each)
    await checkMaskedSums(group)
  } catch (error) {
    assert.fail(`${place}: ${(error as Error).message}`)
  }
}
