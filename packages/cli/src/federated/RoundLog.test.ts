import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { eventOf, RoundLog, readRounds } from './RoundLog.ts'
import type { RoundRecord } from './RoundRecord.ts'
import { roundLine } from './RoundScreen.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-rounds-'))
after(() => rmSync(dir, { recursive: true }))

const round = (n: number): RoundRecord => ({
  round: n,
  loss: 2 / n,
  valid: { loss: 3 / n, accuracy: 0.9 },
  members: [0],
  weights: [1],
  norms: [1],
  bytesUp: 1_500,
  bytesDown: 20_000,
  seconds: n,
  time: 1_000 + n,
})

test('a log keeps the rounds before the checkpoint it goes on from, and drops a line cut off', () => {
  const [file, events] = [join(dir, 'log.jsonl'), join(dir, 'events')]
  const log = new RoundLog(file, events, 0, 5)
  for (let n = 1; n <= 5; n++) log.add(round(n))
  const resumed = new RoundLog(file, events, 3, 9)
  assert.deepEqual(resumed.rounds, [round(1), round(2), round(3)])
  resumed.add(round(4))
  assert.deepEqual(readRounds(`${readFileSync(file, 'utf8')}{"round":5,"lo`, 9), [1, 2, 3, 4].map(round))
  assert.equal(new RoundLog(file, events, 0, 9).rounds.length, 0)
})

test('a round becomes scalars of its own time', () => {
  assert.deepEqual(eventOf(round(2)), {
    wallTime: 1_002,
    step: 2,
    scalars: { 'loss/training': 1, 'loss/validation': 1.5, accuracy: 0.9, 'bytes/up': 1_500, 'bytes/down': 20_000 },
  })
})

test('the live line says round, loss, accuracy, bytes and time left, and never wraps', () => {
  const all = [1, 2, 3, 4, 5, 6].map(round)
  assert.equal(
    roundLine(all, 30, 2, 120),
    'round  6/30  loss 0.3333, 90.00 % right  █▄▂▂▁▁  9 kB up, 120 kB down  48 s left',
  )
  for (const width of [20, 60, 72, 80, 200]) assert.ok([...roundLine(all, 30, 2, width)].length <= width)
})
