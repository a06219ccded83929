import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '@potluck/protocol'
import { formatAmount } from './amounts.ts'
import type { Candidate, Dataset } from './jobGaps.ts'
import { memberGaps } from './memberGaps.ts'

type Job = Parameters<typeof memberGaps>[0]
const SALT = 10n ** 18n
const address = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const salt = (wei: bigint): string => formatAmount(wei, 18)
const dataset: Dataset = {
  ...{ version: 5, isThere: true, granted: 31, minSharePpm: 0, price: 0n, priceToken: address(7) },
  ...{ owner: address(90), residency: ['EU'] },
}
const node = (n: number, roles: number, more: Partial<Candidate> = {}): Candidate => ({
  ...{ node: address(n), roles, freeBond: 1_000n * SALT, isWilling: true, region: 'DE' },
  ...more,
})
const terms = {
  ...{ workerBond: 60n * SALT, validatorBond: 400n * SALT, witnessBond: 10n * SALT },
  ...{ minWorkers: 3, minValidators: 1, minWitnesses: 1 },
} as Job['terms']
const judges = [node(8, 2), node(9, 4)]
const job = (workers: Candidate[], change: Partial<Job> = {}): Job => ({
  ...{ kind: 'language', terms, datasets: [dataset], candidates: [...workers, ...judges] },
  ...change,
})
const told = (given: Job): string => {
  const gaps = memberGaps(given, salt)
  assert.equal(gaps.length, 1, gaps.join('\n'))
  return gaps[0] ?? ''
}

test('says nothing of a job that can be filled, to the last unit of bond [L-74]', () => {
  const workers = [node(1, 1), node(2, 1), node(3, 1, { freeBond: 60n * SALT })]
  assert.deepEqual(memberGaps(job(workers), salt), [])
  workers[2] = node(3, 1, { freeBond: 60n * SALT - 1n })
  assert.equal(memberGaps(job(workers), salt).length, 1)
})

test('names each demand that keeps workers out, how many, and the nearest value that would fill the job [L-74]', () => {
  const poor = [node(3, 1, { freeBond: 40n * SALT }), node(4, 1, { freeBond: 20n * SALT })]
  assert.equal(
    told(job([node(1, 1), node(2, 1), ...poor])),
    'members: 3 workers are needed, 2 could come: register 1 more with the role worker and 60 SALT free each, in EU as the data wants, or lower members.minWorkers to 2. bonds.worker of 60 keeps 2 out: 40 would fill it',
  )
})

test('the change that it proposes does fill the job, for each demand alone [L-74]', () => {
  const cases: [Partial<Candidate>, (given: Job) => Job, RegExp][] = [
    [
      { freeBond: 7n },
      (given) => ({ ...given, terms: { ...terms, workerBond: 7n } }),
      /0\.000000000000000007 would fill it/,
    ],
    [
      { isWilling: false },
      (given) => ({ ...given, candidates: given.candidates.map((one) => ({ ...one, isWilling: true })) }),
      /leave for the contract of jobs .* keeps 1 out: 0x0+3 could give it/,
    ],
    [
      { region: 'US' },
      (given) => ({ ...given, datasets: [{ ...dataset, residency: ['EU', 'US'] }] }),
      /residence \(EU\) keeps 1 out: leave of its owner for US would fill it/,
    ],
    [
      { region: undefined },
      (given) => ({ ...given, candidates: given.candidates.map((one) => ({ ...one, region: 'FR' })) }),
      /a region inside in the config of the 1 that name none would fill it/,
    ],
  ]
  for (const [change, mend, said] of cases) {
    const given = job([node(1, 1), node(2, 1), node(3, 1, change)])
    assert.match(told(given), said)
    assert.deepEqual(memberGaps(mend(given), salt), [])
  }
})

test('does not promise that one change is enough where it is not [L-74]', () => {
  const both = node(3, 1, { region: 'US', freeBond: 1n })
  const gap = told(job([node(1, 1), node(2, 1), both]))
  assert.equal(gap.split('keeps 1 out: that alone would bring 0 of the 1 missing').length, 3)
  const few = told(job([node(1, 1), node(2, 1, { freeBond: SALT })]))
  assert.match(few, /register 2 more .* lower members\.minWorkers to 1\. .* that alone would bring 1 of the 2 missing$/)
  assert.doesNotMatch(told(job([])), /lower members/)
})

test('a bond for one role that would take the bond for another from the node is not proposed [L-74]', () => {
  // The fourth node is the only validator; with 41 SALT locked as a worker it has not the 400 left.
  const workers = [node(1, 1), node(2, 1), node(3, 3, { freeBond: 401n * SALT })]
  const given = job(workers, { candidates: [...workers, node(9, 4)], terms: { ...terms, workerBond: 402n * SALT } })
  assert.match(told(given), /bonds\.worker of 402 keeps 1 out: a lower one would take nodes from another role$/)
})
