/** The hashes that TypeScript computes are the contracts' own: each twin in the protocol package beside the view it mirrors. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  addressOfSecret,
  allocationHash,
  attestationDigest,
  channelIdOf,
  channelsDomain,
  claimLeafHash,
  type Hex,
  jobsDomain,
  nodeKeyDigest,
  proposalHash,
  registryDomain,
  signDigest,
  sumTree,
  toHex,
  voucherDigest,
} from '@potluck/protocol'
import { type Chain, createChain, eventIn } from './createChain.ts'
import { deployContracts } from './deployContracts.ts'
import { embeddedAccounts } from './embeddedAccounts.ts'
import { type EmbeddedChain, startEmbeddedChain } from './startEmbeddedChain.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-twins-'))
const secret = embeddedAccounts[0] as Uint8Array
const nodeSecret = embeddedAccounts[1] as Uint8Array
const me = addressOfSecret(secret)
const hash = (byte: string): Hex => `0x${byte.repeat(32)}`

let embedded: EmbeddedChain
let chain: Chain
let dollar: Hex

before(async () => {
  embedded = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  const { rpcUrl } = embedded
  const saltHolders = [{ address: me, amount: 1n }]
  const settings = { pollMs: 20 }
  const deployment = await deployContracts({ rpcUrl, secret, saltHolders, embeddedDollar: true, settings })
  dollar = deployment.tokens[0]?.address as Hex
  chain = createChain({ rpcUrl, deployment, secret })
})

after(async () => {
  await embedded.stop()
  rmSync(dir, { recursive: true })
})

test('hashes claims, proposals and attestations as Jobs does', async () => {
  const { chainId, contracts } = chain.deployment
  const roots = { baseRoot: hash('01'), updateDigest: hash('02'), updateRoot: hash('03'), statesRoot: hash('04') }
  const claim = { worker: me, share: 7, units: 1_000_000, ...roots }
  assert.equal(
    claimLeafHash(3, 4, claim),
    await chain.read.jobs.claimHash([3n, 4, { ...claim, units: BigInt(claim.units) }]),
  )
  const digests = { stateDigest: hash('05'), stateRoot: hash('06'), payoutRoot: hash('07'), auditRoot: hash('08') }
  const proposal = { ...digests, runRoot: hash('09'), payoutTotal: 2n ** 127n, convictions: 5 }
  assert.equal(proposalHash(3n, 4, proposal), await chain.read.jobs.proposalHashOf([3n, 4, proposal]))
  const attestation = { jobId: 3, round: 4, setRoot: hash('09'), count: 5, directHash: hash('0a') }
  assert.equal(
    toHex(attestationDigest(jobsDomain(chainId, contracts.jobs), attestation)),
    await chain.read.jobs.attestationDigest([3n, 4, attestation.setRoot, 5, attestation.directHash]),
  )
})

test('hashes channels, allocations and vouchers as Channels does', async () => {
  const { chainId, contracts } = chain.deployment
  const parties = { payer: me, signer: addressOfSecret(nodeSecret), operator: contracts.jobs, token: dollar }
  const config = { ...parties, withdrawDelaySeconds: 3_600, salt: hash('0b') }
  const channelId = channelIdOf(chainId, contracts.channels, config)
  assert.equal(channelId, await chain.read.channels.channelIdOf([config]))
  const allocation = { version: 9, provider: me, providerShare: 600_000, gateway: contracts.jobs, gatewayShare: 50_000 }
  const allocated = allocationHash(allocation)
  assert.equal(allocated, await chain.read.channels.allocationHashOf([{ ...allocation, version: 9n }]))
  const amounts = { from: 5n, cumulative: 2n ** 100n }
  const voucher = { channelId, lane: 2, ...amounts, requestHash: hash('0c'), allocationHash: allocated }
  assert.equal(
    toHex(voucherDigest(channelsDomain(chainId, contracts.channels), voucher)),
    await chain.read.channels.voucherDigest([channelId, 2, 5n, 2n ** 100n, voucher.requestHash, allocated]),
  )
})

test('makes key proofs that Registry takes', async () => {
  const { chainId, contracts } = chain.deployment
  const proof = toHex(signDigest(nodeKeyDigest(registryDomain(chainId, contracts.registry), me), nodeSecret))
  await chain.send('registry', 'register', [addressOfSecret(nodeSecret), 1, '', proof])
  assert.equal(await chain.read.registry.nodeOf([addressOfSecret(nodeSecret)]), me)
})

test('makes Merkle-sum proofs that Assets takes, for every leaf of an odd tree', async () => {
  const leaves = [30n, 20n, 49n, 0n, 1n].map((amount, i) => ({
    account: addressOfSecret(embeddedAccounts[i] as Uint8Array),
    amount,
  }))
  const tree = sumTree(leaves)
  const empty = { digest: hash('01'), root: hash('02'), licenceDigest: hash('03'), metadataDigest: hash('04') }
  const share = { purposes: 31, minShare: 0, contributorsShare: 1_000_000, trainPrice: 0n, parents: [], shares: [] }
  const contributors = { contributorsRoot: tree.root, contributorsTotal: tree.total }
  const terms = { codec: 0x55, ...empty, ...share, ...contributors }
  const receipt = await chain.send('assets', 'create', [me, [dollar], terms])
  const { version } = eventIn(receipt, 'assets', 'VersionAdded').args
  await chain.erc20(dollar).send('mint', [me, 1_000n])
  await chain.erc20(dollar).send('approve', [chain.deployment.contracts.assets, 1_000n])
  await chain.send('assets', 'pay', [version, dollar, 1_000n])
  for (const [i, { account, amount }] of leaves.entries()) {
    const claim = [version, dollar, BigInt(i), account, amount, tree.proof(i)] as const
    if (amount === 0n) continue
    await chain.send('assets', 'claimContributor', claim)
    assert.equal(await chain.read.assets.owed([dollar, account]), amount * 10n)
  }
  const greedy = [version, dollar, 1n, leaves[1]?.account as Hex, 21n, tree.proof(1)] as const
  await assert.rejects(chain.send('assets', 'claimContributor', greedy), {
    code: 'REVERTED',
    message: /SumProofInvalid/,
  })
})
