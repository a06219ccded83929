import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abiEncode, type Hex, keccak256, toHex } from '@potluck/protocol'
import { assignShares } from './assignShares.ts'
import { dueShare, isOvertaken } from './dueShare.ts'
import { lateShares, shareDeadlineMs } from './shareDeadline.ts'
import { addSigns, type ShareTime, type Sign } from './shareTimes.ts'

const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const [a, b, c] = [node(0), node(1), node(2)]
const lines = [
  [a, b, c],
  [b, c, a],
]
const beat = (worker: Hex, share: number, atMs: number): Sign => ({ worker, share, atMs, kind: 'beat' })
const commit = (worker: Hex, share: number, atMs: number): Sign => ({ worker, share, atMs, kind: 'commit' })
const OPENED = 10_000
const SILENCE = 3_000
const WORK = 60_000
const due = (self: Hex, signs: Sign[], nowMs: number, mine: number[] = [], deadlineMs = WORK): number | undefined => {
  const patience = { openedMs: OPENED, nowMs, silenceMs: SILENCE, deadlineMs }
  return dueShare(self, lines, addSigns([], signs, OPENED), patience, new Set(mine))?.share
}

test('sends each worker to its own share first, and to none twice [P-41]', () => {
  assert.equal(due(a, [], OPENED), 0)
  assert.equal(due(b, [], OPENED), 1)
  assert.equal(due(c, [], OPENED), undefined)
  assert.equal(due(a, [], OPENED, [0]), undefined)
  assert.equal(due(node(9), [], OPENED + 1_000_000), undefined)
})

test('lets the next in line take over after one silence, and the one behind it after two [P-41]', () => {
  assert.equal(due(c, [], OPENED + SILENCE), undefined)
  assert.equal(due(c, [], OPENED + SILENCE + 1), 1)
  // For share 0 worker c is third: two silences.
  const taken = [commit(b, 1, OPENED)]
  assert.equal(due(c, taken, OPENED + 2 * SILENCE), undefined)
  assert.equal(due(c, taken, OPENED + 2 * SILENCE + 1), 0)
})

test('counts silence from the last beat, and leaves alone what somebody is at or has delivered [P-41]', () => {
  const at = OPENED + 20_000
  assert.equal(due(c, [beat(b, 1, at - SILENCE + 1), beat(a, 0, at)], at), undefined)
  assert.equal(due(c, [beat(b, 1, at - SILENCE - 1), beat(a, 0, at)], at), 1)
  assert.equal(
    due(a, [beat(b, 0, at - 1), commit(b, 1, at)], at),
    undefined,
    'not even its own, while another is at it',
  )
  assert.equal(due(a, [commit(b, 0, OPENED), commit(b, 1, OPENED)], at), undefined)
  // Its own beats and commits keep nobody from a share: after a crash it goes on.
  assert.equal(due(a, [beat(a, 0, at - 1)], at), 0)
})

/** One round of three workers, of whom `a` is at share 0 since the opening and beats every second. */
const beating = (untilMs: number): Sign[] =>
  Array.from({ length: Math.floor((untilMs - OPENED) / 1_000) + 1 }, (_, i) => beat(a, 0, OPENED + 1_000 * i))

test('lets the next in line take over from a worker that beats beyond the deadline, and not before [P-57]', () => {
  const deadlineMs = 8_000
  const at = OPENED + deadlineMs
  const signs = [...beating(at), commit(b, 1, OPENED + 5_000)]
  assert.equal(due(b, signs, at, [1], deadlineMs), undefined)
  assert.equal(due(b, signs, at + 1, [1], deadlineMs), 0)
  // By silence alone it would keep the share for as long as it beats.
  assert.equal(due(b, signs, at + 1, [1]), undefined)
})

test('makes the places behind wait once more each, and again for whoever has taken over [P-57]', () => {
  const deadlineMs = 8_000
  const at = OPENED + deadlineMs
  const slow = [...beating(at + 12_000), commit(b, 1, OPENED + 5_000)]
  const until = (nowMs: number): Sign[] => slow.filter(({ atMs }) => atMs <= nowMs)
  assert.equal(due(c, until(at + SILENCE), at + SILENCE, [], deadlineMs), undefined)
  assert.equal(due(c, until(at + SILENCE + 1), at + SILENCE + 1, [], deadlineMs), 0)
  // b has taken over a second after the deadline and beats: c waits for b's own deadline, and one silence for its place.
  const taken = (nowMs: number): Sign[] => [
    ...until(nowMs),
    ...Array.from({ length: 12 }, (_, i) => beat(b, 0, at + 1_000 + 1_000 * i)).filter(({ atMs }) => atMs <= nowMs),
  ]
  const later = at + 1_000 + deadlineMs + SILENCE
  assert.equal(due(c, taken(later), later, [], deadlineMs), undefined)
  assert.equal(due(c, taken(later + 1), later + 1, [], deadlineMs), 0)
})

test('gives the reason of a take-over [P-57]', () => {
  const patience = { openedMs: OPENED, nowMs: OPENED + 9_000, silenceMs: SILENCE, deadlineMs: 8_000 }
  const of = (signs: Sign[]) => dueShare(b, lines, addSigns([], signs, OPENED), patience, new Set([1]))
  assert.deepEqual(of(beating(OPENED + 9_000)), { share: 0, because: 'late' })
  assert.deepEqual(of([beat(a, 0, OPENED)]), { share: 0, because: 'silent' })
  assert.deepEqual(dueShare(b, lines, [], patience, new Set()), { share: 1, because: 'own' })
})

test('ends the effort of a taker whose share a worker before it in line delivers, and of nobody else [P-57]', () => {
  const both = addSigns([], [...beating(OPENED + 9_000), beat(b, 0, OPENED + 8_500)], OPENED)
  assert.equal(isOvertaken(b, lines[0] as Hex[], both, 0), false)
  const first = addSigns(both, [commit(a, 0, OPENED + 9_500)], OPENED)
  assert.equal(isOvertaken(b, lines[0] as Hex[], first, 0), true)
  // The first in line goes on when the taker was quicker: it counts if its commit is there in time.
  const taker = addSigns(both, [commit(b, 0, OPENED + 9_500)], OPENED)
  assert.equal(isOvertaken(a, lines[0] as Hex[], taker, 0), false)
})

const took = (worker: number, share: number, ms: number): ShareTime => ({
  ...{ worker: node(worker), share, startedMs: OPENED, heardMs: OPENED + ms, committedMs: OPENED + ms },
})

test('derives the deadline from the times of this round and the one before, a share without a commit as the longest [P-57]', () => {
  const deadline = (present: ShareTime[], previous: ShareTime[] = []): number =>
    shareDeadlineMs({ shares: 5, present, previous }, SILENCE, WORK)
  assert.equal(deadline([]), WORK)
  assert.equal(deadline([took(0, 0, 10_000), took(1, 1, 10_400)]), WORK)
  // Times 10, 10.4, 10.4 and twice 60: median 10.4, deviation 0.4, the slack half the median of those done.
  assert.equal(deadline([took(0, 0, 10_000), took(1, 1, 10_400), took(2, 2, 10_400)]), 10_400 + 5_200)
  // Two deliveries of one share are two times, and one share.
  assert.equal(deadline([took(0, 0, 10_000), took(1, 0, 10_000)]), WORK)
  const before = [0, 1, 2, 3, 4].map((i) => took(i, i, 1_000))
  assert.equal(deadline([], before), 1_000 + SILENCE)
  // One that was missing already: the first commit of this round decides.
  assert.equal(deadline([], before.slice(1)), WORK)
  assert.equal(deadline([took(0, 0, 1_200)], before.slice(1)), 1_200 + SILENCE)
  assert.equal(shareDeadlineMs({ shares: 1, present: [], previous: [] }, 3_000, 1_000), 1_000)
})

test('two of five that claim to be done at once do not make the others late [P-57]', () => {
  const honest = [10_000, 11_000, 12_000].map((ms, i) => took(i, i, ms))
  const lies = [3, 4].map((i) => took(i, i, 0))
  const deadline = shareDeadlineMs({ shares: 5, present: [...honest, ...lies], previous: [] }, SILENCE, WORK)
  assert.ok(deadline > 12_000, String(deadline))
})

test('takes a start from the first beat, an end from the first commit, and survives being written down [P-57]', () => {
  const once = addSigns([], [beat(a, 0, OPENED + 500)], OPENED)
  const stored = JSON.parse(JSON.stringify(once)) as ShareTime[]
  const twice = addSigns(stored, [commit(a, 0, OPENED + 9_000), beat(a, 0, OPENED + 8_000)], OPENED)
  const whole = { worker: a, share: 0, startedMs: OPENED + 500, heardMs: OPENED + 9_000, committedMs: OPENED + 9_000 }
  assert.deepEqual(twice, [whole])
  assert.deepEqual(addSigns(twice, [commit(a, 0, OPENED + 12_000)], OPENED)[0]?.committedMs, OPENED + 9_000)
  // A commit without a beat counts from the opening.
  assert.equal(addSigns([], [commit(b, 1, OPENED + 4_000)], OPENED)[0]?.startedMs, OPENED)
})

test('says who is late, by how much, or when it was last heard of [L-73]', () => {
  const slow = { worker: node(3), share: 3, startedMs: OPENED, heardMs: OPENED + 7_000 }
  const present = [took(0, 0, 2_000), took(1, 1, 2_000), took(2, 2, 9_500), slow]
  const patience = { openedMs: OPENED, nowMs: OPENED + 8_000, deadlineMs: 5_000 }
  const [late, missing, ...others] = lateShares(present, patience)
  assert.match(late ?? '', /3 at share 2 was 4\.5 s late: training took 9\.5 s, the median is 2\.0 s;/)
  assert.match(missing ?? '', /4 at share 3 sent nothing within 5\.0 s; it was last heard of at 7\.0 s of the round/)
  assert.deepEqual(others, [])
  assert.equal(lateShares(present, { ...patience, nowMs: OPENED + 5_000 }).length, 1)
})

/**
 * Plays rounds in which each worker needs `msOf(worker)` for a share, looks every 250 ms and beats every 1.5 s.
 *
 * @return for each round: shares that were begun, when all had a commit, and the time spent on work that another's commit ended
 */
function playRounds(workers: number, rounds: number, msOf: (worker: number, round: number) => number) {
  const found: { begun: number; tookMs: number; lostMs: number }[] = []
  const nodes = Array.from({ length: workers }, (_, i) => node(i))
  let previous: ShareTime[] = []
  for (let round = 0; round < rounds; round++) {
    const assignment = assignShares(toHex(keccak256(abiEncode(round))), nodes, workers)
    const busy = new Map<Hex, { share: number; startedMs: number; beatMs: number }>()
    const done = new Map(nodes.map((self) => [self, new Set<number>()]))
    let present: ShareTime[] = []
    let [begun, lostMs, atMs] = [0, 0, OPENED]
    const isOpen = (): boolean =>
      assignment.some((_, share) => !present.some((one) => one.share === share && one.committedMs !== undefined))
    while (isOpen()) {
      atMs += 250
      const signs: Sign[] = []
      for (const [worker, self] of nodes.entries()) {
        const work = busy.get(self)
        if (work && isOvertaken(self, assignment[work.share] as Hex[], present, work.share)) {
          lostMs += atMs - work.startedMs
          busy.delete(self)
        } else if (work && atMs >= work.startedMs + msOf(worker, round)) {
          signs.push(commit(self, work.share, atMs))
          done.get(self)?.add(work.share)
          busy.delete(self)
        } else if (work && atMs - work.beatMs >= 1_500) {
          work.beatMs = atMs
          signs.push(beat(self, work.share, atMs))
        }
        if (busy.has(self)) continue
        const deadlineMs = shareDeadlineMs({ shares: workers, present, previous }, SILENCE, WORK)
        const patience = { openedMs: OPENED, nowMs: atMs, silenceMs: SILENCE, deadlineMs }
        const next = dueShare(self, assignment, addSigns(present, signs, OPENED), patience, done.get(self) ?? new Set())
        if (!next) continue
        begun++
        busy.set(self, { share: next.share, startedMs: atMs, beatMs: atMs })
        signs.push(beat(self, next.share, atMs))
      }
      present = addSigns(present, signs, OPENED)
      assert.ok(atMs < OPENED + 10 * WORK, 'the round does not end')
    }
    previous = present
    found.push({ begun, tookMs: atMs - OPENED, lostMs })
  }
  return found
}

test('in rounds of healthy workers, the slowest at a third of the fastest, nobody does work twice [P-57]', () => {
  for (const workers of [5, 20]) {
    const rounds = playRounds(workers, 6, (worker, round) => 10_000 + ((7_919 * (worker + 3 * round)) % 20_000))
    assert.deepEqual(
      rounds.map(({ begun }) => begun),
      rounds.map(() => workers),
    )
  }
})

test('a round in which everybody is four times slower than before costs next to no work [P-57]', () => {
  const rounds = playRounds(5, 4, (worker, round) => (round === 2 ? 4 : 1) * (10_000 + 100 * worker))
  for (const { lostMs, tookMs } of rounds) assert.ok(lostMs < 0.02 * 5 * tookMs, `${lostMs} ms`)
})

test('one of five at a tenth of the speed costs one share of work more, and the round no longer waits for it [P-57]', () => {
  const rounds = playRounds(5, 4, (worker) => (worker === 2 ? 100_000 : 10_000 + 100 * worker))
  for (const { begun, tookMs } of rounds) {
    assert.equal(begun, 6)
    // Deadline of some 15 s, then the share once more.
    assert.ok(tookMs < 28_000, String(tookMs))
  }
})
