/**
 * Everything deployed on a fresh chain, with people who have money and nodes that have bonds. Also what `bench gas` runs on:
 * it takes its bytecodes from the generated files, so no compiler is needed.
 */
import {
  type Abi,
  encodeAbiParameters,
  encodeDeployData,
  getAddress,
  type Hex,
  keccak256,
  maxUint256,
  parseEther,
} from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { assetsAbi, assetsBytecode } from '../../../packages/chain/src/generated/Assets.ts'
import { channelsAbi, channelsBytecode } from '../../../packages/chain/src/generated/Channels.ts'
import { embeddedDollarAbi, embeddedDollarBytecode } from '../../../packages/chain/src/generated/EmbeddedDollar.ts'
import { jobsAbi, jobsBytecode } from '../../../packages/chain/src/generated/Jobs.ts'
import { registryAbi, registryBytecode } from '../../../packages/chain/src/generated/Registry.ts'
import { saltAbi, saltBytecode } from '../../../packages/chain/src/generated/Salt.ts'
import { voteJudgeAbi, voteJudgeBytecode } from '../../../packages/chain/src/generated/VoteJudge.ts'
import { contractAt } from './contractAt.ts'
import type { Evm } from './evm.ts'

export const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`
export const ZERO_ADDRESS: Hex = `0x${'00'.repeat(20)}`
export const UNBONDING_SECONDS = 86_400n
export const ROLE = { WORKER: 1, VALIDATOR: 2, WITNESS: 4, KEEPER: 8, GATEWAY: 16, OWNER: 32, PROVIDER: 64 } as const
export const PURPOSE = { TRAIN: 1, EVALUATE: 2, DERIVE: 4, SERVE: 8, COMMERCIAL: 16, ALL: 31 } as const

export type World = Awaited<ReturnType<typeof deployWorld>>
/** A registered node: `cold` owns the bond, `key` signs. */
export type Node = { cold: PrivateKeyAccount; key: PrivateKeyAccount }

export async function deploy<const A extends Abi>(
  evm: Evm,
  from: PrivateKeyAccount,
  abi: A,
  bytecode: Hex,
  args: readonly unknown[],
) {
  const receipt = await evm.send(from, { data: encodeDeployData({ abi: abi as Abi, bytecode, args }) })
  return contractAt(evm, abi, getAddress(receipt.contractAddress as Hex))
}

export async function deployWorld(evm: Evm) {
  const [deployer, builder, caller, operator] = (await evm.accounts(1, 4)) as [
    PrivateKeyAccount,
    PrivateKeyAccount,
    PrivateKeyAccount,
    PrivateKeyAccount,
  ]
  const salt = await deploy(evm, deployer, saltAbi, saltBytecode, [[deployer.address], [parseEther('1000000')]])
  const dollar = await deploy(evm, deployer, embeddedDollarAbi, embeddedDollarBytecode, [])
  const registry = await deploy(evm, deployer, registryAbi, registryBytecode, [salt.address, UNBONDING_SECONDS])
  const assets = await deploy(evm, deployer, assetsAbi, assetsBytecode, [])
  const jobs = await deploy(evm, deployer, jobsAbi, jobsBytecode, [registry.address, assets.address])
  const judge = await deploy(evm, deployer, voteJudgeAbi, voteJudgeBytecode, [jobs.address])
  const channels = await deploy(evm, deployer, channelsAbi, channelsBytecode, [assets.address])
  const world = { evm, deployer, builder, caller, operator, salt, dollar, registry, assets, jobs, judge, channels }

  for (const person of [builder, caller, operator]) {
    await dollar.send(deployer, 'mint', [person.address, 10n ** 15n])
    for (const spender of [assets, jobs, channels]) {
      await dollar.send(person, 'approve', [spender.address, maxUint256])
    }
  }
  return world
}

/** EIP-712 proof that `key` agrees to be the node key of `cold`. */
export function nodeKeyProof(
  { registry }: Pick<World, 'registry'>,
  chainId: number,
  { cold, key }: Node,
): Promise<Hex> {
  return key.signTypedData({
    domain: { name: 'Potluck Registry', version: '1', chainId, verifyingContract: registry.address },
    types: { NodeKey: [{ name: 'node', type: 'address' }] },
    primaryType: 'NodeKey',
    message: { node: cold.address },
  })
}

/** Registers `count` nodes with a bond of 1,000 SALT each that `Jobs` may lock. */
export async function makeNodes(world: World, seed: number, count: number, roles: number): Promise<Node[]> {
  const { evm, salt, registry, jobs, deployer } = world
  const accounts = await evm.accounts(seed, 2 * count)
  const nodes: Node[] = []
  for (let i = 0; i < count; i++) {
    const node = { cold: accounts[2 * i], key: accounts[2 * i + 1] } as Node
    const proof = await nodeKeyProof(world, evm.client.chain.id, node)
    await salt.send(deployer, 'transfer', [node.cold.address, parseEther('1000')])
    await salt.send(node.cold, 'approve', [registry.address, parseEther('1000')])
    await registry.send(node.cold, 'register', [node.key.address, roles, `http://node-${i}`, proof])
    await registry.send(node.cold, 'bond', [parseEther('1000')])
    await registry.send(node.cold, 'allowLocker', [jobs.address, true])
    nodes.push(node)
  }
  return nodes
}

/** Terms of a dataset that earns in dollars and grants everything; change what a test is about. */
export const plainTerms = {
  codec: 0x55,
  purposes: PURPOSE.ALL as number,
  minShare: 0,
  contributorsShare: 0,
  trainPrice: 0n,
  digest: keccak256('0x01'),
  root: keccak256('0x02'),
  licenceDigest: keccak256('0x03'),
  metadataDigest: keccak256('0x04'),
  contributorsRoot: ZERO_HASH,
  contributorsTotal: 0n,
  parents: [] as bigint[],
  shares: [] as number[],
}

/** Creates an asset of `owner` paid in dollars; gives its version. */
export async function makeAsset(world: World, owner: PrivateKeyAccount, terms: Partial<typeof plainTerms> = {}) {
  const { assets, dollar } = world
  const full = { ...plainTerms, ...terms }
  const receipt = await assets.send(owner, 'create', [owner.address, [dollar.address], full])
  const { assetId, version } = assets.events(receipt, 'VersionAdded')[0] as { assetId: bigint; version: bigint }
  return { assetId, version }
}

/** Terms of a small exact job; change what a test is about. */
export function plainJob(world: World) {
  return {
    token: world.dollar.address,
    rounds: 2,
    purpose: PURPOSE.TRAIN as number,
    trustClass: 0,
    committeeSize: 7,
    quorum: 5,
    payPerRound: 1_000_000n,
    workerBond: parseEther('100'),
    validatorBond: parseEther('50'),
    witnessBond: parseEther('10'),
    fixSeconds: 60,
    beaconBlocks: 2,
    revealSeconds: 30,
    turnSeconds: 10,
    challengeSeconds: 20,
    minWorkers: 1,
    minValidators: 3,
    minWitnesses: 5,
    judge: world.judge.address,
    contributorsShare: 200_000,
    modelPurposes: (PURPOSE.SERVE | PURPOSE.COMMERCIAL) as number,
    modelMinShare: 0,
    modelTrainPrice: 0n,
    missingPenalty: parseEther('5'),
    modelLicenceDigest: keccak256('0x05'),
    paramsVersion: 1,
    programRoot: keccak256('0x06'),
    specDigest: keccak256('0x07'),
    baseDigest: keccak256('0x08'),
    baseRoot: keccak256('0x09'),
    dataVersions: [] as bigint[],
    parentShares: [] as number[],
  }
}

export type JobTerms = ReturnType<typeof plainJob>

export function foldDirect(before: Hex, worker: Hex, commitHash: Hex): Hex {
  return keccak256(
    encodeAbiParameters([{ type: 'bytes32' }, { type: 'address' }, { type: 'bytes32' }], [before, worker, commitHash]),
  )
}
