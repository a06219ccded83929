import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Hex } from '@potluck/protocol'
import { type Deployment, networkName, readDeployment, writeDeployment } from './Deployment.ts'

const address = (digit: string): Hex => `0x${digit.repeat(40)}`
const deployment: Deployment = {
  name: 'test',
  chainId: 5,
  block: 1,
  contracts: {
    salt: address('1'),
    registry: address('2'),
    assets: address('3'),
    jobs: address('a'),
    judge: address('5'),
    referee: `0x${'66'.repeat(20)}`,
    channels: address('6'),
  },
  tokens: [{ symbol: 'EUSD', address: address('7'), decimals: 6 }],
  settings: { confirmations: 1, pollMs: 200, logBlocks: 5_000 },
}

test('reads back what it wrote, with addresses in lower case', () => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-deployment-'))
  const file = join(dir, 'deployment.json')
  writeDeployment(file, { ...deployment, contracts: { ...deployment.contracts, jobs: address('A') } })
  assert.deepEqual(readDeployment(file), deployment)
  assert.equal(networkName(readDeployment(file)), `5:${address('a')}`)
  writeFileSync(file, '{ "name": ')
  assert.throws(() => readDeployment(file), { code: 'BAD_DEPLOYMENT', message: new RegExp(file) })
  rmSync(dir, { recursive: true })
})

test('names the field that is wrong, and the file that is missing', () => {
  const wrong = { ...deployment, settings: { confirmations: 0, pollMs: 200 } }
  assert.throws(() => readDeployment(JSON.stringify(wrong)), {
    code: 'BAD_DEPLOYMENT',
    message: /settings\.confirmations/,
  })
  assert.throws(() => readDeployment('no-such-file.json'), {
    code: 'BAD_DEPLOYMENT',
    message: /no-such-file\.json.*deploy first/,
  })
})
