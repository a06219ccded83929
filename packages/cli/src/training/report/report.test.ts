import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bucketMeans } from './bucketMeans.ts'
import { drawCurve } from './drawCurve.ts'
import { RunLog, readSteps } from './RunLog.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-report-'))
after(() => rmSync(dir, { recursive: true }))

test('a series is averaged in equal parts, and kept when it is short', () => {
  assert.deepEqual(bucketMeans([1, 2, 3, 4, 5], 2), [1.5, 4])
  assert.deepEqual(bucketMeans([1, 2], 10), [1, 2])
  assert.deepEqual(bucketMeans([], 10), [])
})

test('a curve goes from the highest loss at the top to the lowest at the bottom', () => {
  assert.deepEqual(drawCurve([4, 3, 2, 1], [{ step: 4, loss: 2 }], { width: 4, height: 4 }), [
    '   4.000 │·',
    '         │ ·',
    '         │  ·o',
    '   1.000 │   ·',
    '          1 step 4   · training  o validation',
  ])
  assert.deepEqual(drawCurve([1], []), [])
  assert.equal(drawCurve([1, 1, Number.POSITIVE_INFINITY], []).length, 11)
})

test('a log keeps the steps before the checkpoint it goes on from, and drops a line cut off', () => {
  const file = join(dir, 'log.jsonl')
  const step = (n: number) => ({ step: n, loss: 1 / n, rate: 0.1, norm: null, seconds: n })
  const log = new RunLog(file, 0)
  for (let n = 1; n <= 5; n++) log.add(step(n))
  log.flush()
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 6)
  const resumed = new RunLog(file, 3)
  assert.deepEqual(
    resumed.steps.map(({ step }) => step),
    [1, 2, 3],
  )
  resumed.add(step(4))
  resumed.flush()
  assert.deepEqual(readSteps(`${readFileSync(file, 'utf8')}{"step":5,"lo`, 9).length, 4)
  assert.equal(new RunLog(file, 0).steps.length, 0)
})
