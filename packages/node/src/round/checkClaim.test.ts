import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Claim, fromHex, type Hex, merkleRootOfNodes, toHex } from '@potluck/protocol'
import { type ClaimContext, checkClaim } from './checkClaim.ts'
import { refuseRegion } from './refuseData.ts'
import { commitHash } from './taskSeed.ts'

const worker: Hex = `0x${'11'.repeat(20)}`
const other: Hex = `0x${'22'.repeat(20)}`
const stranger: Hex = `0x${'99'.repeat(20)}`
const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const states = [hash('d1'), hash('d2'), hash('d3')]
const claim: Claim = {
  worker,
  share: 1,
  baseRoot: hash('aa'),
  updateDigest: hash('bb'),
  updateRoot: hash('cc'),
  statesRoot: toHex(merkleRootOfNodes(states.map(fromHex))),
  units: 640,
}
const opened = (of: Claim, job = 7, round = 2): Hex =>
  toHex(commitHash(job, round, of.share, of.worker, of.updateDigest))
const context: ClaimContext = {
  job: 7,
  round: 2,
  baseRoot: claim.baseRoot,
  shares: 5,
  workers: [worker, other],
  expelled: new Set(),
  commit: opened(claim),
  opened: opened(claim),
  known: new Map(),
  units: 640,
  states,
  stateCount: 3,
  copiesAllowed: false,
}
/** What became of it, in two words. */
function outcome(change: Partial<Claim>, around: Partial<ClaimContext> = {}): string {
  const changed = { ...claim, ...change }
  const verdict = checkClaim(changed, { ...context, opened: opened(changed), ...around })
  return verdict.ok ? 'accept' : `${verdict.action} ${verdict.rule}`
}

test('accepts an honest claim, again too, and one whose update was held of itself [P-44]', () => {
  assert.equal(outcome({}), 'accept')
  assert.equal(outcome({}, { known: new Map([[claim.updateDigest, worker]]) }), 'accept')
})

test('rejects a worker that is not enrolled or was expelled, a share and units the job does not have [P-44]', () => {
  assert.equal(outcome({ worker: stranger }), 'reject P-44')
  assert.equal(outcome({}, { expelled: new Set([worker]) }), 'reject P-44')
  assert.equal(outcome({}, { expelled: new Set([other]) }), 'accept')
  assert.equal(outcome({ share: 5 }), 'reject P-44')
  for (const units of [0, 639, 641]) assert.equal(outcome({ units }), 'reject P-44')
})

test('rejects state roots that are too few, in another order, or not those claimed [P-44]', () => {
  assert.equal(outcome({}, { states: states.slice(1) }), 'reject P-44')
  assert.equal(outcome({}, { states: states.toReversed() }), 'reject P-44')
  assert.equal(outcome({ statesRoot: hash('ee') }), 'reject P-44')
  assert.equal(outcome({}, { states: [], stateCount: 0 }), 'accept')
})

test('ignores another base: one of two views of the chain may be late [P-44]', () => {
  assert.equal(outcome({ baseRoot: hash('00') }), 'ignore P-44')
})

test('ignores a claim whose commit was not seen in time, rejects one that opens to something else [P-43]', () => {
  assert.equal(outcome({}, { commit: undefined }), 'ignore P-43')
  assert.equal(outcome({ updateDigest: hash('ee') }), 'reject P-43')
  // The commit of another job, round, share or worker, shown again here.
  for (const foreign of [
    opened(claim, 8),
    opened(claim, 7, 3),
    opened({ ...claim, share: 2 }),
    opened({ ...claim, worker: other }),
  ]) {
    assert.equal(outcome({}, { commit: foreign }), 'reject P-43')
  }
})

test('rejects a copied update, but not the common transcript of a private job [P-45]', () => {
  const known = new Map([[claim.updateDigest, other]])
  assert.equal(outcome({}, { known }), 'reject P-45')
  assert.equal(outcome({}, { known, copiesAllowed: true }), 'accept')
  assert.equal(outcome({}, { known: new Map([[hash('ef'), other]]) }), 'accept')
})

test('says what it saw and what was wanted', () => {
  const verdict = checkClaim({ ...claim, units: 1 }, context)
  assert.ok(!verdict.ok)
  assert.match(verdict.reason, /\b1 units claimed, a share has 640/)
})

test('ignores a claim of a worker that says it is where the data may not be worked on, or says nothing [P-55]', () => {
  const residencies = new Map([[5, ['EU']]])
  assert.equal(outcome({}, { refusedData: refuseRegion('FR', residencies) }), 'accept')
  for (const region of ['US', undefined])
    assert.equal(outcome({}, { refusedData: refuseRegion(region, residencies) }), 'ignore P-55')
})
