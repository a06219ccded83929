import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '@potluck/protocol'
import { formatAmount } from './amounts.ts'
import { type Candidate, type Dataset, type JobFill, jobGaps } from './jobGaps.ts'

const SALT = 10n ** 18n
const address = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const token = address(7)
const show = {
  money: (units: bigint): string => `${formatAmount(units, 6)} USDP`,
  salt: (wei: bigint): string => formatAmount(wei, 18),
}
const dataset: Dataset = {
  ...{ version: 5, isThere: true, granted: 31, minSharePpm: 50_000, price: 500_000n, priceToken: token },
  owner: address(90),
}
const terms: JobFill['terms'] = {
  ...{ token, purpose: 29, modelPurposes: 26, contributorsShare: 400_000, payPerRound: 5_000_000n, rounds: 7 },
  ...{ dataVersions: [5n], parentShares: [100_000] },
  ...{ workerBond: 60n * SALT, validatorBond: 400n * SALT, witnessBond: 10n * SALT },
  ...{ minWorkers: 2, minValidators: 1, minWitnesses: 2 },
}
const node = (n: number, roles: number, more: Partial<Candidate> = {}): Candidate => ({
  ...{ node: address(n), roles, freeBond: 1_000n * SALT, isWilling: true },
  ...more,
})
const job: JobFill = {
  kind: 'language',
  terms,
  datasets: [dataset],
  candidates: [node(1, 1), node(2, 1), node(3, 6), node(4, 4)],
  balance: 36_000_000n,
}
const gapsOf = (change: Partial<JobFill>): string[] => {
  const { terms: wrong, members } = jobGaps({ ...job, ...change }, show)
  return [...wrong, ...members]
}
const only = (change: Partial<JobFill>, ...parts: string[]): void => {
  const gaps = gapsOf(change)
  assert.equal(gaps.length, 1, gaps.join('\n'))
  for (const part of parts) assert.ok(gaps[0]?.includes(part), `"${part}" is not in: ${gaps[0]}`)
}

test('a job that can be filled has no gaps', () => {
  assert.deepEqual(gapsOf({}), [])
})

test('a licence that does not grant what is asked, a share below its least and another token are told with what to change', () => {
  only({ datasets: [{ ...dataset, granted: 30 }] }, 'version 5 does not grant TRAIN', 'purposes')
  only({ terms: { ...terms, purpose: 28 } }, 'TRAIN is missing')
  only({ datasets: [{ ...dataset, minSharePpm: 200_000 }] }, '200000 ppm', 'gives 100000', 'sharePpm')
  only({ datasets: [{ ...dataset, priceToken: address(8) }] }, 'costs 0.5 USDP', address(8))
  only({ datasets: [{ ...dataset, isThere: false, price: 0n }] }, 'no version 5', 'asset list')
  only({ terms: { ...terms, contributorsShare: 950_000 } }, '1050000 of 1000000')
})

test('a builder without enough money is told how much is missing, the price of the data counted', () => {
  only({ balance: 35_400_000n }, 'costs 35.5 USDP (7 times 5 USDP and 0.5 USDP for the data)', 'send it 0.1 USDP more')
})

test('too few nodes, too little bond and owners of tables are told by role', () => {
  only({ candidates: [node(1, 1), node(3, 6), node(4, 4)] }, '2 workers are needed, 1 could come', '60 SALT')
  only({ candidates: [node(1, 1), node(2, 33), node(3, 6), node(4, 4)] }, '1 could come')
  only({ candidates: [node(1, 1), node(2, 1, { freeBond: SALT }), node(3, 6), node(4, 4)] }, 'workers')
  only({ candidates: [node(1, 1), node(2, 1, { isWilling: false }), node(3, 6), node(4, 4)] }, 'workers')
})

test('a node that takes several roles needs the bond of each', () => {
  const candidates = [node(1, 1), node(2, 1), node(3, 6, { freeBond: 405n * SALT }), node(4, 4)]
  only({ candidates }, '2 witnesses are needed', '1 could come')
})

test('data that is kept to some countries needs nodes that say they are there [P-55]', () => {
  const datasets = [{ ...dataset, residency: ['EU'] }]
  const at = (...regions: (string | undefined)[]): Candidate[] =>
    job.candidates.map((one, i) => ({ ...one, region: regions[i] }))
  assert.deepEqual(gapsOf({ datasets, candidates: at('DE', 'FR', 'AT', 'IT') }), [])
  only(
    { datasets, candidates: at('DE', 'US', 'AT', 'IT') },
    '2 workers are needed, 1 could come',
    'in EU as the data wants',
  )
  assert.equal(gapsOf({ datasets }).length, 3)
})

test('a private job needs the tables of three owners whose nodes work', () => {
  const tables = [1, 2, 3].map((n) => ({ ...dataset, version: n, price: 0n, owner: address(n) }))
  const owners = [1, 2, 3].map((n) => node(n, 33))
  const given: JobFill = {
    ...job,
    kind: 'tabular',
    terms: { ...terms, dataVersions: [1n, 2n, 3n], parentShares: [100_000, 100_000, 100_000], minWorkers: 3 },
    datasets: tables,
    candidates: [...owners, node(4, 6), node(5, 4)],
  }
  assert.deepEqual(gapsOf(given), [])
  only({ ...given, candidates: [...owners.slice(1), node(4, 6), node(5, 4)] }, 'owners of the tables', '2 could come')
  const shared = tables.map((one, i) => ({ ...one, owner: address(Math.min(2, i + 1)) }))
  const gaps = gapsOf({ ...given, datasets: shared })
  assert.ok(gaps.some((gap) => gap.includes('the 3 tables belong to 2')))
})
