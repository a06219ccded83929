import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { type JobNeeds, type Offer, whyUnfilled } from './whyUnfilled.ts'

const MiB = 1_048_576
const needs: JobNeeds = {
  workers: 3,
  memoryBytes: 512 * MiB,
  steps: 30,
  roundMs: 10_000,
  uploadBytes: 200_000,
  bondWei: 60_000_000_000_000_000_000n,
  payWei: 1_000n,
  regions: ['eu', 'ch'],
}
const offer = (worker: string, change: Partial<Offer> = {}): Offer => ({
  worker,
  memoryBytes: 1_024 * MiB,
  stepsPerSecond: 10,
  uploadBytesPerSecond: 1_000_000,
  bondWei: 60_000_000_000_000_000_000n,
  leastPayWei: 1_000n,
  region: 'eu',
  ...change,
})

test('says nothing of a job that can be filled, to the unit [L-74]', () => {
  assert.equal(whyUnfilled(needs, [offer('a'), offer('b'), offer('c', { memoryBytes: 512 * MiB })]), undefined)
  // 3,000 ms of steps and 200 ms of upload.
  assert.equal(whyUnfilled({ ...needs, roundMs: 3_200 }, [offer('a'), offer('b'), offer('c')]), undefined)
  assert.equal(whyUnfilled({ ...needs, roundMs: 3_199 }, [offer('a'), offer('b'), offer('c')])?.missing, 3)
})

test('names each demand that keeps workers out, and the nearest value that would fill the job [L-74]', () => {
  const small = [offer('s', { memoryBytes: 256 * MiB }), offer('t', { memoryBytes: 128 * MiB })]
  const found = whyUnfilled(needs, [offer('a'), offer('b'), ...small])
  assert.equal(found?.missing, 1)
  assert.deepEqual(found?.able, ['a', 'b'])
  assert.match(
    found?.why ?? '',
    /needs 3 workers, 2 of 4 on offer can do it\. 512 MiB of memory keeps 2 out: at most 256 MiB would fill/,
  )
})

test('the change that it proposes does fill the job, for each demand alone [L-74]', () => {
  const cases: [Partial<Offer>, (needs: JobNeeds) => JobNeeds, RegExp][] = [
    [{ memoryBytes: 100 * MiB }, (n) => ({ ...n, memoryBytes: 100 * MiB }), /at most 100 MiB/],
    [{ stepsPerSecond: 2 }, (n) => ({ ...n, roundMs: 15_200 }), /rounds of 15200 ms/],
    [{ bondWei: 7n }, (n) => ({ ...n, bondWei: 7n }), /7 wei would fill/],
    [{ leastPayWei: 5_000n }, (n) => ({ ...n, payWei: 5_000n }), /5000 wei would fill/],
    [{ region: 'us' }, (n) => ({ ...n, regions: ['eu', 'ch', 'us'] }), /leave of its owner for us/],
  ]
  for (const [change, mend, said] of cases) {
    const offers = [offer('a'), offer('b'), offer('c', change)]
    assert.match(whyUnfilled(needs, offers)?.why ?? '', said)
    assert.equal(whyUnfilled(mend(needs), offers), undefined)
  }
})

test('does not promise that one change is enough where it is not [L-74]', () => {
  const both = offer('c', { memoryBytes: MiB, region: 'us' })
  const found = whyUnfilled(needs, [offer('a'), offer('b'), both])
  assert.match(found?.why ?? '', /changing it alone would bring 0 of the 1/)
  const few = whyUnfilled(needs, [offer('a')])
  assert.match(few?.why ?? '', /at least 2 more workers must come, or the job must do with 1\.$/)
})

test('refuses a job for nobody', () => {
  assert.throws(
    () => whyUnfilled({ ...needs, workers: 0 }, []),
    (error) => codeOf(error) === 'BAD_NEEDS',
  )
})
