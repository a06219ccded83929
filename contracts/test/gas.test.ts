import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type GasNumbers, measureGas } from './support/measureGas.ts'
import { startFixedEvm } from './support/startEvm.ts'

const snapshotFile = join(import.meta.dirname, '..', 'gas-snapshot.json')

test('gas is what the committed snapshot says and stays below the bars (UPDATE_SNAPSHOTS=1 rewrites it) [C-21] [C-45]', async () => {
  const gas = await measureGas(await startFixedEvm())
  const json = `${JSON.stringify(Object.fromEntries(Object.entries(gas).map(([k, v]) => [k, Number(v)])), null, 2)}\n`
  if (process.env.UPDATE_SNAPSHOTS === '1' || !existsSync(snapshotFile)) writeFileSync(snapshotFile, json)
  assert.equal(readFileSync(snapshotFile, 'utf8'), json)
  checkBars(gas)
})

function checkBars(gas: GasNumbers): void {
  const pays = [gas['royalty.pay.depth1'], gas['royalty.pay.depth1000']] as const
  assert.ok(pays[0] <= 52_000n && pays[1] <= 52_000n, `a payment costs ${pays.join(' and ')} gas`)
  assert.ok(difference(...pays) <= 100n, `depth changes the cost of a payment: ${pays.join(' and ')}`)
  const perChannel = gas['channel.claim.batch50']
  assert.ok(perChannel <= 16_000n, `a claim costs ${perChannel} gas a channel, the allocation apart`)
  const rounds = [gas['round.claims5'], gas['round.claims100']] as const
  assert.ok(difference(...rounds) * 20n <= rounds[0], `5 and 100 claims cost ${rounds.join(' and ')} gas`)
}

const difference = (a: bigint, b: bigint): bigint => (a < b ? b - a : a - b)
