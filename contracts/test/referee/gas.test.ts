import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureDispute } from '../support/measureDispute.ts'
import { startFixedEvm } from '../support/startEvm.ts'

const snapshotFile = join(import.meta.dirname, '..', '..', 'gas-snapshot-referee.json')

test('a dispute over 1,000 steps of 2,000 operators takes at most 24 moves and 3 M gas, as the snapshot says (UPDATE_SNAPSHOTS=1 rewrites it)', async () => {
  const gas = await measureDispute(await startFixedEvm())
  const json = `${JSON.stringify(gas, null, 2)}\n`
  if (process.env.UPDATE_SNAPSHOTS === '1') writeFileSync(snapshotFile, json)
  assert.equal(readFileSync(snapshotFile, 'utf8'), json)
  assert.ok(Object.keys(gas).length - 2 <= 24)
  assert.ok((gas['dispute.whole'] as number) <= 3_000_000)
})
