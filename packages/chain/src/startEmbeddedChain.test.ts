import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addressOfSecret, type Hex } from '@potluck/protocol'
import { createChain } from './createChain.ts'
import { deployContracts } from './deployContracts.ts'
import { embeddedAccounts } from './embeddedAccounts.ts'
import { startEmbeddedChain } from './startEmbeddedChain.ts'

const secret = embeddedAccounts[0] as Uint8Array
const address = addressOfSecret(secret)

test('goes on after a restart: state and events kept, a transaction under way still mined, block handlers alive', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-chain-'))
  const before = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  const port = Number(new URL(before.rpcUrl).port)
  const saltHolders = [{ address, amount: 5n }]
  const deployment = await deployContracts({ rpcUrl: before.rpcUrl, secret, saltHolders, settings: { pollMs: 20 } })
  const chain = createChain({ rpcUrl: before.rpcUrl, deployment, secret })
  const events = await chain.events({ fromBlock: 0n, toBlock: await chain.blockNumber() })
  const blocks: bigint[] = []
  const stopPolling = chain.onBlock(
    (block) => void blocks.push(block),
    // What the gap throws is not the point here: that polling outlives it is.
    () => undefined,
  )
  await before.stop()
  const sentIntoTheGap = chain.send('registry', 'register', [chain.account as Hex, 1, '', '0x'])
  const after = await startEmbeddedChain({ dir, port, blockSeconds: 0.1 })
  try {
    // The first answer to the send may be that nobody is there: what the caller then does is look and repeat.
    await sentIntoTheGap.catch(() => chain.send('registry', 'register', [chain.account as Hex, 1, '', '0x']))
    assert.equal(await chain.read.registry.rolesOf([chain.account as Hex]), 1)
    assert.equal(await chain.read.salt.balanceOf([address]), 5n)
    const [last] = events.slice(-1)
    assert.deepEqual(await chain.events({ fromBlock: 0n, toBlock: last?.block as bigint }), events)
    const seenSoFar = blocks.length
    while (blocks.length < seenSoFar + 2) await new Promise((resolve) => setTimeout(resolve, 20))
  } finally {
    stopPolling()
    await after.stop()
    rmSync(dir, { recursive: true })
  }
})

test('hands a transaction in again when the chain forgot it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-chain-'))
  const before = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  const port = Number(new URL(before.rpcUrl).port)
  const saltHolders = [{ address, amount: 5n }]
  const deployment = await deployContracts({ rpcUrl: before.rpcUrl, secret, saltHolders, settings: { pollMs: 20 } })
  await before.stop()
  const slow = await startEmbeddedChain({ dir, port, blockSeconds: 60 })
  const chain = createChain({ rpcUrl: slow.rpcUrl, deployment, secret })
  const send = chain.send('registry', 'register', [chain.account as Hex, 1, '', '0x'])
  await new Promise((resolve) => setTimeout(resolve, 300))
  await slow.stop()
  const after = await startEmbeddedChain({ dir, port, blockSeconds: 0.1 })
  try {
    assert.equal((await send).logs.length, 1)
  } finally {
    await after.stop()
    rmSync(dir, { recursive: true })
  }
})

test('refuses a taken port and survives a half-written state', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-chain-'))
  const first = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  const port = Number(new URL(first.rpcUrl).port)
  await assert.rejects(startEmbeddedChain({ dir, port }), { code: 'PORT_TAKEN', facts: { port } })
  await first.stop()
  writeFileSync(join(dir, 'chain.json'), '{"block":')
  const second = await startEmbeddedChain({ dir, port, blockSeconds: 0.1 })
  await second.stop()
  rmSync(dir, { recursive: true })
})
