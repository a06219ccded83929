import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addressOfSecret, type Hex, PotluckError } from '@potluck/protocol'
import { isEvent } from './ChainEvent.ts'
import { createChain, eventIn } from './createChain.ts'
import type { Deployment } from './Deployment.ts'
import { deployContracts } from './deployContracts.ts'
import { embeddedAccounts } from './embeddedAccounts.ts'
import { type EmbeddedChain, setEmbeddedBalance, startEmbeddedChain } from './startEmbeddedChain.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-chain-'))
const [deployer, first, second, third, poor] = embeddedAccounts as [Uint8Array, ...Uint8Array[]] as Uint8Array[] as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const SUPPLY = 1_000n * 10n ** 18n

let embedded: EmbeddedChain
let deployment: Deployment

const clientOf = (secret?: Uint8Array) => createChain({ rpcUrl: embedded.rpcUrl, deployment, secret })
const revertedWith = (error: string) => (thrown: unknown) =>
  thrown instanceof PotluckError && thrown.code === 'REVERTED' && thrown.facts.error === error

before(async () => {
  embedded = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  deployment = await deployContracts({
    rpcUrl: embedded.rpcUrl,
    secret: deployer,
    saltHolders: [deployer, first, second].map((secret) => ({ address: addressOfSecret(secret), amount: SUPPLY })),
    embeddedDollar: true,
    settings: { pollMs: 20 },
  })
})

after(async () => {
  await embedded.stop()
  rmSync(dir, { recursive: true })
})

test('deploys contracts that know each other', async () => {
  const chain = clientOf()
  await chain.check()
  const { salt, registry, assets, jobs } = deployment.contracts
  assert.equal(await chain.read.registry.salt(), salt)
  assert.equal(await chain.read.jobs.registry(), registry)
  assert.equal(await chain.read.jobs.assets(), assets)
  assert.equal(await chain.read.judge.jobs(), jobs)
  assert.equal(await chain.read.channels.assets(), assets)
  assert.equal(await chain.read.salt.totalSupply(), 3n * SUPPLY)
})

test('returns the decoded events of a transaction, addresses in lower case', async () => {
  const chain = clientOf(first)
  const node = chain.account as Hex
  const receipt = await chain.send('registry', 'register', [node, 1, 'http://127.0.0.1:1', '0x'])
  assert.deepEqual(eventIn(receipt, 'registry', 'Registered').args, {
    node,
    key: node,
    roles: 1,
    endpoint: 'http://127.0.0.1:1',
  })
  assert.equal(await chain.read.registry.resolve([node]), node)
  assert.equal((await chain.read.registry.nodeInfo([node])).roles, 1)
})

test("names the contract's own error and its values before any gas is spent", async () => {
  const chain = clientOf(first)
  const before = await chain.balanceOf(chain.account as Hex)
  await assert.rejects(chain.send('registry', 'register', [chain.account as Hex, 1, '', '0x']), (thrown) => {
    assert.ok(revertedWith('AlreadyRegistered')(thrown))
    assert.match(
      (thrown as Error).message,
      new RegExp(`registry\\.register .*AlreadyRegistered\\(node: ${chain.account}\\)`),
    )
    return true
  })
  assert.equal(await chain.balanceOf(chain.account as Hex), before)
})

test('explains a transaction that passed the trial and failed in its block', async () => {
  const chain = clientOf(second)
  const salt = chain.erc20(deployment.contracts.salt)
  const all = () => salt.send('transfer', [addressOfSecret(third), SUPPLY])
  const outcomes = await Promise.allSettled([all(), all()])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.ok(revertedWith('ERC20InsufficientBalance')((outcomes[1] as PromiseRejectedResult).reason))
})

test('keeps the nonces of 20 parallel sends in order, with a refusal among them', async () => {
  const chain = clientOf(first)
  await chain.erc20(deployment.contracts.salt).send('approve', [deployment.contracts.registry, SUPPLY])
  const sends = Array.from({ length: 20 }, (_, i) => chain.send('registry', 'bond', [BigInt(i)]))
  const outcomes = await Promise.allSettled(sends)
  assert.ok(revertedWith('ZeroAmount')((outcomes[0] as PromiseRejectedResult).reason))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 19)
  assert.equal(await chain.read.registry.bondOf([chain.account as Hex]), 190n)
})

test('meets its own pending transaction after a restart with a clean refusal', async () => {
  const earlierLife = clientOf(third)
  const node = earlierLife.account as Hex
  const unfinished = earlierLife.send('registry', 'register', [node, 2, '', '0x'])
  while (!(await pendingOf(node))) await new Promise((resolve) => setTimeout(resolve, 5))
  await assert.rejects(
    clientOf(third).send('registry', 'register', [node, 2, '', '0x']),
    revertedWith('AlreadyRegistered'),
  )
  assert.equal((await unfinished).logs.length, 1)
})

async function pendingOf(address: Hex): Promise<boolean> {
  const count = async (block: string) => {
    const body = { jsonrpc: '2.0', id: 1, method: 'eth_getTransactionCount', params: [address, block] }
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(embedded.rpcUrl, { method: 'POST', headers, body: JSON.stringify(body) })
    return Number(((await response.json()) as { result: string }).result)
  }
  return (await count('pending')) > 0
}

test('lists all events of a range in order, typed once narrowed, in as many requests as it takes', async () => {
  const chain = clientOf()
  const newest = await chain.blockNumber()
  const whole = await chain.events({ fromBlock: 0n, toBlock: newest })
  const bonded = whole.filter((event) => isEvent(event, 'registry', 'Bonded'))
  assert.equal(
    bonded.reduce((sum, event) => sum + event.args.amount, 0n),
    190n,
  )
  for (const [i, event] of whole.entries()) {
    assert.ok(event.timestamp !== undefined && event.timestamp > 1_600_000_000n)
    if (i > 0) assert.ok(event.block >= (whole[i - 1]?.block as bigint))
  }
  const settings = { ...deployment.settings, logBlocks: 2 }
  const small = createChain({ rpcUrl: embedded.rpcUrl, deployment: { ...deployment, settings } })
  assert.deepEqual(await small.events({ fromBlock: 0n, toBlock: newest }), whole)
  const only = await chain.events({ fromBlock: 0n, toBlock: newest, contracts: ['salt'] })
  assert.deepEqual(
    only,
    whole.filter(({ contract }) => contract === 'salt'),
  )
})

test('calls block handlers one at a time and goes on after one has thrown', async () => {
  const chain = clientOf()
  const seen: bigint[] = []
  const errors: unknown[] = []
  let inside = 0
  await new Promise<void>((resolve) => {
    const stop = chain.onBlock(
      async (block) => {
        assert.equal(++inside, 1)
        seen.push(block)
        await new Promise((done) => setTimeout(done, 30))
        inside -= 1
        if (seen.length === 4) {
          stop()
          resolve()
        }
        if (seen.length === 2) throw new Error('a bad block')
      },
      (error) => errors.push(error),
    )
  })
  assert.equal(errors.length, 1)
  assert.deepEqual(
    seen.toSorted((a, b) => Number(a - b)),
    seen,
  )
})

test('waits for the confirmations its settings ask for', async () => {
  const settings = { ...deployment.settings, confirmations: 3 }
  const chain = createChain({ rpcUrl: embedded.rpcUrl, deployment: { ...deployment, settings }, secret: deployer })
  const receipt = await chain.sendValue(addressOfSecret(poor), 1n)
  assert.ok((await chain.blockNumber()) >= receipt.blockNumber + 2n)
  assert.ok((await chain.confirmedBlock()) >= receipt.blockNumber)
})

test('says what is missing: a key, funds, the right chain, a chain at all', async () => {
  await assert.rejects(clientOf().sendValue(addressOfSecret(first), 1n), { code: 'NO_KEY' })
  await setEmbeddedBalance(embedded.rpcUrl, addressOfSecret(poor), 0n)
  await assert.rejects(clientOf(poor).sendValue(addressOfSecret(first), 1n), { code: 'RPC_REFUSED', message: /funds/i })
  const elsewhere = { ...deployment, chainId: 1 }
  const lost = createChain({ rpcUrl: embedded.rpcUrl, deployment: elsewhere, secret: first })
  await assert.rejects(lost.check(), { code: 'WRONG_CHAIN' })
  await assert.rejects(lost.sendValue(addressOfSecret(first), 1n), { code: 'WRONG_CHAIN' })
  const contracts = { ...deployment.contracts, judge: addressOfSecret(poor) }
  const bare = createChain({ rpcUrl: embedded.rpcUrl, deployment: { ...deployment, contracts } })
  await assert.rejects(bare.check(), { code: 'NOT_DEPLOYED', message: /judge/ })
  const nobody = createChain({ rpcUrl: 'http://127.0.0.1:1', deployment })
  await assert.rejects(nobody.now(), { code: 'RPC_UNREACHABLE', remedy: 'retry' })
  await assert.rejects(nobody.read.jobs.jobCount(), { code: 'RPC_UNREACHABLE' })
})
