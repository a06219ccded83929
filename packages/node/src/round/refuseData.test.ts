import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DataOfJob, refuseData } from './refuseData.ts'

const data: DataOfJob = { purpose: 29, named: [5], ofText: [5], residencies: new Map([[5, ['EU', 'CH']]]) }
const open: DataOfJob = { ...data, residencies: new Map() }

test('a node takes part where all datasets of a job allow it, and anywhere when none says where [P-55]', () => {
  assert.equal(refuseData('DE', data), undefined)
  assert.equal(refuseData('CH', data), undefined)
  assert.equal(refuseData(undefined, open), undefined)
})

test('a node elsewhere, or that does not say where it is, takes no part and is told why [P-55]', () => {
  assert.match(refuseData('US', data) ?? '', /P-55: version 5 may be worked on in EU, CH only, the node is in US/)
  assert.match(refuseData(undefined, data) ?? '', /names no region/)
  const two = { ...data, named: [5, 6], residencies: new Map([...data.residencies, [6, ['US']]]) }
  assert.match(refuseData('DE', two) ?? '', /version 6/)
})

test('a job that names data without asking to train on it, or trains on another text, is not worked on [P-54]', () => {
  assert.match(refuseData('DE', { ...open, purpose: 28 }) ?? '', /did not ask for the purpose TRAIN/)
  assert.match(refuseData('DE', { ...open, ofText: [] }) ?? '', /names version 5 but trains on another text/)
  const free = { purpose: 0, named: [], ofText: [], residencies: new Map() }
  assert.equal(refuseData(undefined, free), undefined)
})
