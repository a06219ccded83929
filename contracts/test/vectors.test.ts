/**
 * spec/vectors/contracts.json: each hash format, as the contracts compute it. Rewritten with UPDATE_SNAPSHOTS=1; the TypeScript side reads
 * the same file. Numbers beyond 32 bits are decimal strings.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { artifacts } from 'hardhat'
import { type Abi, getAddress, type Hex, keccak256, toHex } from 'viem'
import { claimOf, proposalOf } from './support/runJob.ts'
import { startFixedEvm } from './support/startEvm.ts'
import { setTree, sumTree } from './support/trees.ts'
import { deploy, deployWorld, type World, ZERO_ADDRESS, ZERO_HASH } from './support/world.ts'

const file = join(import.meta.dirname, '..', '..', 'spec', 'vectors', 'contracts.json')
const hashOf = (text: string): Hex => keccak256(toHex(text))
const accountOf = (i: number) => getAddress(`0x${hashOf(`account ${i}`).slice(-40)}`)

let world: World
let formats: { read: (name: string, args: readonly unknown[]) => Promise<unknown> }

before(async () => {
  world = await deployWorld(await startFixedEvm())
  const { abi, bytecode } = await artifacts.readArtifact('HashFormats')
  formats = await deploy(world.evm, world.deployer, abi as Abi, bytecode as Hex, [])
})

async function sumTrees() {
  const weights = [5n, 1n, 0n, 2n ** 100n, 7n]
  const cases = []
  for (const count of [1, 2, 3, 5]) {
    const accounts = Array.from({ length: count }, (_, i) => accountOf(i))
    const chosen = weights.slice(0, count)
    const [root, total] = (await formats.read('sumTree', [accounts, chosen])) as [Hex, bigint]
    const proofs = []
    for (let i = 0; i < count; i++) {
      const proof = (await formats.read('sumProof', [accounts, chosen, BigInt(i)])) as { hash: Hex; sum: bigint }[]
      assert.equal(await formats.read('sumVerify', [root, total, BigInt(i), accounts[i], chosen[i], proof]), true)
      proofs.push(proof)
    }
    const leaves = accounts.map((account, i) => ({ account, weight: chosen[i] as bigint }))
    const twin = sumTree(leaves)
    assert.deepEqual([twin.root, twin.total, leaves.map((_, i) => twin.proof(i))], [root, total, proofs])
    cases.push({ leaves, root, total, proofs })
  }
  return cases
}

async function sumLeaves() {
  const cases = []
  for (const [i, weight] of [0n, 1n, 2n ** 128n - 1n].entries()) {
    const [index, account] = [BigInt(i) * 2n ** 40n, accountOf(i)]
    cases.push({ index, account, weight, hash: await formats.read('sumLeaf', [index, account, weight]) })
  }
  return cases
}

async function setTrees() {
  const cases = []
  for (const count of [1, 3, 5, 100]) {
    const leaves = Array.from({ length: count }, (_, i) => hashOf(`leaf ${i}`))
    const root = (await formats.read('setTree', [leaves])) as Hex
    const proofs = []
    for (const index of [...new Set([0, 1, count >> 1, count - 1])].filter((i) => i < count)) {
      const proof = (await formats.read('setProof', [leaves, BigInt(index)])) as Hex[]
      const verify = (at: number, of: number) =>
        formats.read('setVerify', [root, leaves[index], BigInt(at), BigInt(of), proof])
      assert.equal(await verify(index, count), true)
      assert.equal(await verify(index + 1, count), false)
      assert.equal(await verify(count, count), false)
      proofs.push({ index, proof })
    }
    const twin = setTree(leaves)
    assert.deepEqual(
      [twin.root, proofs.map(({ index }) => twin.proof(index))],
      [root, proofs.map(({ proof }) => proof)],
    )
    cases.push({ leaves, root, proofs })
  }
  return cases
}

async function committees() {
  const cases = []
  for (const [i, [n, size]] of (
    [
      [5, 7],
      [7, 7],
      [16, 11],
      [20, 16],
      [256, 16],
    ] as const
  ).entries()) {
    const seed = hashOf(`seed ${i}`)
    const members = (await formats.read('committee', [seed, BigInt(n), BigInt(size)])) as bigint[]
    assert.equal(new Set(members).size, Math.min(n, size))
    assert.ok(members.every((member) => member < BigInt(n)))
    cases.push({ seed, n, size, members: members.map(Number) })
  }
  return cases
}

async function onions() {
  const cases = []
  for (const [i, rounds] of [1, 2, 5].entries()) {
    const layers = [hashOf(`secret ${i}`)]
    for (let k = 0; k < rounds; k++) layers.push((await formats.read('onionLayer', [layers[k]])) as Hex)
    cases.push({ secret: layers[0], rounds, head: layers.at(-1), reveals: layers.slice(0, -1).reverse() })
  }
  return cases
}

async function beacons() {
  const cases = []
  for (const [i, count] of [0, 1, 3].entries()) {
    const preimages = Array.from({ length: count }, (_, k) => hashOf(`preimage ${i} ${k}`))
    const parts = []
    for (const [k, preimage] of preimages.entries())
      parts.push((await formats.read('revealed', [BigInt(k), preimage])) as Hex)
    const folded = toHex(
      parts.reduce((sum, part) => sum ^ BigInt(part), 0n),
      { size: 32 },
    )
    const [jobId, round, previous] = [BigInt(i + 1), i, hashOf(`previous ${i}`)]
    const beacon = await formats.read('beacon', [jobId, round, previous, folded])
    cases.push({
      jobId,
      round,
      previous,
      reveals: preimages.map((preimage, index) => ({ index, preimage })),
      folded,
      beacon,
    })
  }
  return cases
}

async function smallHashes() {
  const first = []
  const direct = []
  const skipped = []
  for (let i = 0; i < 3; i++) {
    const [jobId, blockHash] = [BigInt(i + 1), hashOf(`block ${i}`)]
    first.push({ blockHash, jobId, beacon: await formats.read('firstBeacon', [blockHash, jobId]) })
    const [before, worker, commitHash] = [
      i === 0 ? ZERO_HASH : hashOf(`before ${i}`),
      accountOf(i),
      hashOf(`commit ${i}`),
    ]
    direct.push({ before, worker, commitHash, hash: await formats.read('direct', [before, worker, commitHash]) })
    const [seed, attempt] = [hashOf(`seed ${i}`), i + 1]
    skipped.push({ seed, attempt, next: await formats.read('skipped', [seed, attempt]) })
  }
  return { first, direct, skipped }
}

async function jobHashes() {
  const { jobs, evm } = world
  const claims = []
  const proposals = []
  const attestations = []
  const tasks = []
  for (let i = 0; i < 3; i++) {
    const [jobId, round] = [BigInt(i + 1), i * 7]
    const claim = claimOf(accountOf(i), i)
    claims.push({ jobId, round, claim, hash: await jobs.read('claimHash', [jobId, round, claim]) })
    const { proposal } = proposalOf([accountOf(i)], [BigInt(i) * 10n ** 20n], i)
    proposals.push({ jobId, round, proposal, hash: await jobs.read('proposalHashOf', [jobId, round, proposal]) })
    const [setRoot, count, directHash] = [hashOf(`set ${i}`), i + 1, i === 0 ? ZERO_HASH : hashOf(`direct ${i}`)]
    const digest = await jobs.read('attestationDigest', [jobId, round, setRoot, count, directHash])
    attestations.push({ message: { jobId, round, setRoot, count, directHash }, digest })
    const role = 2 ** i
    tasks.push({ jobId, role, task: await jobs.read('taskOf', [jobId, role]) })
  }
  const domain = { name: 'Potluck Jobs', version: '1', chainId: evm.client.chain.id, verifyingContract: jobs.address }
  return { domain, claims, proposals, attestations, tasks }
}

async function channelHashes() {
  const { channels, evm } = world
  const ids = []
  const allocations = []
  const vouchers = []
  const closes = []
  for (let i = 0; i < 3; i++) {
    const config = {
      payer: accountOf(i),
      signer: accountOf(i + 1),
      operator: accountOf(i + 2),
      token: accountOf(i + 3),
      withdrawDelaySeconds: 3_600 * i,
      salt: i === 0 ? ZERO_HASH : hashOf(`salt ${i}`),
    }
    const channelId = await channels.read('channelIdOf', [config])
    ids.push({ config, channelId })
    const allocation = {
      version: BigInt(i),
      provider: i === 2 ? ZERO_ADDRESS : accountOf(i),
      providerShare: [1_000_000, 600_000, 0][i] as number,
      gateway: accountOf(i + 5),
      gatewayShare: [0, 50_000, 1][i] as number,
    }
    const allocationHash = await channels.read('allocationHashOf', [allocation])
    allocations.push({ allocation, hash: allocationHash })
    const message = {
      channelId,
      lane: i,
      from: BigInt(i) * 100n,
      cumulative: BigInt(i) * 100n + 2n ** BigInt(20 * i),
      requestHash: hashOf(`request ${i}`),
      allocationHash,
    }
    const { lane, from, cumulative, requestHash } = message
    const digest = await channels.read('voucherDigest', [
      channelId,
      lane,
      from,
      cumulative,
      requestHash,
      allocationHash,
    ])
    vouchers.push({ message, digest })
    const close = {
      channelId,
      deposited: 10n ** BigInt(i + 1),
      claimed: BigInt(i),
      validUntil: 2_000_000_000n + BigInt(i),
    }
    closes.push({
      message: close,
      digest: await channels.read('closeDigest', [channelId, close.deposited, close.claimed, close.validUntil]),
    })
  }
  const domain = {
    name: 'Potluck Channels',
    version: '1',
    chainId: evm.client.chain.id,
    verifyingContract: channels.address,
  }
  return { domain, ids, allocations, vouchers, closes }
}

test('the committed vectors are what the contracts compute, and a second implementation agrees on the trees [C-04] [C-05] [C-06]', async () => {
  const vectors = {
    sumLeaf: await sumLeaves(),
    sumTree: await sumTrees(),
    setTree: await setTrees(),
    committee: await committees(),
    onion: await onions(),
    beacon: await beacons(),
    round: await smallHashes(),
    jobs: await jobHashes(),
    channels: await channelHashes(),
  }
  const json = `${JSON.stringify(vectors, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`
  if (process.env.UPDATE_SNAPSHOTS === '1' || !existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, json)
  }
  assert.equal(readFileSync(file, 'utf8'), json)
})

test('a sum proof with a sum that overflows or a node passed off as a leaf is a no, not a crash [C-04]', async () => {
  const leaves = [1n, 2n, 3n].map((weight, i) => ({ account: accountOf(i), weight }))
  const tree = sumTree(leaves)
  const proof = tree.proof(0)
  const verify = (weight: bigint, siblings: typeof proof, total = tree.total) =>
    formats.read('sumVerify', [tree.root, total, 0n, accountOf(0), weight, siblings])
  assert.equal(await verify(1n, proof), true)
  assert.equal(await verify(2n ** 128n - 1n, proof, 2n ** 128n - 1n), false)
  assert.equal(await verify(1n, proof, tree.total + 1n), false)
  assert.equal(await verify(1n, proof.slice(1)), false)
  assert.equal(await verify(1n, [...proof, ...proof]), false)
})
