import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex, LanguageJob, Message } from '@potluck/protocol'
import { memoryBlockStore } from '@potluck/store'
import { Inbox, type Known } from '../Inbox.ts'
import { type JobView, Phase } from '../JobView.ts'
import type { Disk } from '../Ports.ts'
import type { Task, WorkResult } from '../program/JobProgram.ts'
import { loadDeliveries } from './delivery.ts'
import { ShareTimes } from './ShareTimes.ts'
import { createWorker } from './worker.ts'

const node = (i: number): Hex => `0x${String(i).repeat(40)}`
const hash = (pair: string): Hex => `0x${pair.repeat(32)}`
const [slow, self, third] = [node(1), node(2), node(3)]
const OPENED_SECONDS = 1_000
const OPENED = OPENED_SECONDS * 1_000
const assignment = [
  [slow, self, third],
  [self, third, slow],
  [third, slow, self],
]

function memoryDisk(): Disk & { values: Map<string, string> } {
  const values = new Map<string, string>()
  return {
    values,
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
  }
}

/** A worker's node in a job of three shares, its clock and the others' words in the test's hands. */
function standIn(disk = memoryDisk()) {
  const logs: { event: string; facts: Record<string, unknown> }[] = []
  const inbox = new Inbox()
  const state = { nowMs: OPENED, round: 0 }
  let working: { task: Task; finish: () => void } | undefined
  const hear = (from: Hex, kind: 'beat' | 'commit', share: number): void => {
    const body = { job: 1, round: state.round, share, step: 1, steps: 4, lossMilli: 0, commit: hash('cc') }
    const { nowMs } = state
    inbox.add({ kind, body, from, node: from, atMs: nowMs, seenMs: nowMs, id: '0x', bytes: new Uint8Array() } as Known)
  }
  const outbox = {
    has: () => true,
    stand: async () => undefined,
    say: async ({ kind, body }: Message) => {
      if (kind === 'beat') hear(self, 'beat', body.share)
    },
  }
  const work = (task: Task): Promise<WorkResult> =>
    new Promise((resolve, reject) => {
      const update = new Uint8Array([1, 2, 3, 4])
      working = { task, finish: () => resolve({ update, stateRoots: [hash('0a')], lossMilli: 2_000 }) }
      task.signal?.addEventListener('abort', () => reject(task.signal?.reason))
    })
  const view = (): JobView => {
    const ports = { store: memoryBlockStore(), disk, clock: { nowMs: () => state.nowMs } }
    const log = (_level: string, event: string, facts: Record<string, unknown>): void =>
      void logs.push({ event, facts })
    return {
      ...{ job: 1, round: state.round, nowMs: state.nowMs, inbox, outbox, assignment, committee: [node(9)] },
      ports: { ...ports, log },
      identity: { node: self },
      status: { phase: Phase.open, openedAt: BigInt(OPENED_SECONDS), attempt: 1 },
      facts: { workers: [slow, self, third], expelled: new Set() },
      document: { kind: 'language', seed: hash('00'), workSeconds: 60, silenceSeconds: 3 } as LanguageJob,
      program: { shares: 3, units: 1, steps: 4, isExact: true, work, tensorOf: (update: Uint8Array) => update },
      ...{ baseRoot: hash('bb'), baseDigest: hash('bd'), baseState: async () => new Uint8Array(4) },
    } as unknown as JobView
  }
  return {
    ...{ state, hear, view, logs, disk },
    /** What it works at; undefined when it is free. */
    task: () => working?.task,
    async finish() {
      working?.finish()
      working = undefined
      await breath()
    },
  }
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The round's first ten seconds: the worker and the third do their own shares in five, the slow one beats. */
async function firstSeconds(stand: ReturnType<typeof standIn>, worker: ReturnType<typeof createWorker>): Promise<void> {
  const { state, hear, view } = stand
  hear(slow, 'beat', 0)
  hear(third, 'beat', 2)
  await worker.tick(view())
  await breath()
  state.nowMs = OPENED + 5_000
  for (const kind of ['beat', 'commit'] as const) hear(third, kind, 2)
  hear(slow, 'beat', 0)
  await stand.finish()
  hear(self, 'commit', 1)
  state.nowMs = OPENED + 7_000
  hear(slow, 'beat', 0)
  await worker.tick(view())
}

test('a worker takes a late share over, says why, and tells its status [P-57]', async () => {
  const stand = standIn()
  const worker = createWorker()
  await firstSeconds(stand, worker)
  assert.equal(stand.task(), undefined)
  assert.equal(worker.lateIn(1), undefined)
  // Five seconds are usual, three the slack: those of silence.
  stand.state.nowMs = OPENED + 8_001
  stand.hear(slow, 'beat', 0)
  await worker.tick(stand.view())
  await breath()
  assert.ok(stand.task())
  const { event, facts } = stand.logs.at(-1) ?? { event: '', facts: {} }
  assert.equal(event, 'taking over a late share')
  assert.equal(facts.share, 0)
  assert.match(
    String(facts.why),
    /^0x1+ at share 0 sent nothing within 8\.0 s; it was last heard of at 8\.0 s of the round$/,
  )
  assert.deepEqual(worker.lateIn(1), { round: 0, why: [String(facts.why)] })
})

test('a worker stops what it took over when the late one delivers after all, and says so once [P-57]', async () => {
  const stand = standIn()
  const worker = createWorker()
  await firstSeconds(stand, worker)
  stand.state.nowMs = OPENED + 8_001
  stand.hear(slow, 'beat', 0)
  await worker.tick(stand.view())
  await breath()
  const signal = stand.task()?.signal
  assert.equal(signal?.aborted, false)
  stand.state.nowMs = OPENED + 9_000
  stand.hear(slow, 'commit', 0)
  await worker.tick(stand.view())
  assert.equal(signal?.aborted, true)
  await worker.tick(stand.view())
  assert.equal(stand.logs.filter(({ event }) => event === 'share delivered by its worker meanwhile').length, 1)
  assert.ok(!stand.logs.some(({ event }) => event === 'work stopped'))
})

test('after a restart a slow worker is as late as before [P-57]', async () => {
  const before = standIn()
  await firstSeconds(before, createWorker())
  const after = standIn(before.disk)
  after.state.nowMs = OPENED + 8_001
  const worker = createWorker()
  after.hear(slow, 'beat', 0)
  await worker.tick(after.view())
  await breath()
  assert.equal(after.logs.at(-1)?.event, 'taking over a late share')
  // Without what the disk holds it would be new to the share.
  const empty = standIn()
  empty.state.nowMs = OPENED + 8_001
  empty.hear(slow, 'beat', 0)
  const { present } = new ShareTimes().hear(empty.view())
  assert.equal(present[0]?.startedMs, OPENED + 8_001)
})

test('times of the round before are kept, older ones are deleted [P-57]', async () => {
  const stand = standIn()
  const times = new ShareTimes()
  for (stand.state.round = 0; stand.state.round < 4; stand.state.round++) {
    stand.hear(third, 'beat', 2)
    times.hear(stand.view())
  }
  stand.state.round = 3
  assert.deepEqual(stand.disk.keys('times/1/'), ['times/1/2', 'times/1/3'])
  assert.equal(new ShareTimes().hear(stand.view()).previous.length, 1)
})

test('a worker that is late itself says so once, and the time of its delivery is that of its end', async () => {
  const stand = standIn()
  const worker = createWorker()
  for (const [share, other] of [
    [0, slow],
    [2, third],
  ] as const)
    stand.hear(other, 'beat', share)
  await worker.tick(stand.view())
  await breath()
  stand.state.nowMs = OPENED + 5_000
  stand.hear(slow, 'commit', 0)
  stand.hear(third, 'commit', 2)
  for (const afterMs of [8_000, 8_500, 9_000]) {
    stand.state.nowMs = OPENED + afterMs
    await worker.tick(stand.view())
  }
  const told = stand.logs.filter(({ event }) => event.startsWith('late with a share'))
  assert.equal(told.length, 1)
  assert.equal(told[0]?.facts.deadlineMs, 8_000)
  await stand.finish()
  // Its claim counts as held back from here on, not from the start of the work.
  assert.equal(loadDeliveries(stand.view())[0]?.finishedMs, OPENED + 9_000)
})
