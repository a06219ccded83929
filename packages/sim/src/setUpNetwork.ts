import { type Chain, createChain, type Deployment, deployContracts, embeddedAccounts } from '@potluck/chain'
import { createEngine, initialParameters, type LanguageConfig, trainLocally, vocabularyOf } from '@potluck/engine'
import { parseHeartCsv } from '@potluck/learning'
import { bytesOfFloats, type DatasetConfig } from '@potluck/node'
import {
  addressOfSecret,
  type Hex,
  keccak256,
  merkleRootOfBytes,
  nodeKeyDigest,
  registryDomain,
  sha256,
  signDigest,
  toHex,
  utf8,
} from '@potluck/protocol'
import { CID, digestOf, memoryBlockStore, putObject, RAW } from '@potluck/store'
import { type Anvil, startAnvil } from './anvil.ts'
import { channelOf, DEPOSIT } from './calls.ts'
import { Draws } from './Draws.ts'
import type { Account, Network } from './Network.ts'
import type { NodePlan } from './SimNode.ts'
import { FAIR, World } from './World.ts'

export const WORKERS = 8
export const VALIDATORS = 4
const KEEPERS = 5
const OWNERS = 3
/** Two of the owners are witnesses too. */
const WITNESSES = KEEPERS + 2
export const FIRST_VALIDATOR = WORKERS
export const FIRST_KEEPER = WORKERS + VALIDATORS
export const FIRST_OWNER = FIRST_KEEPER + KEEPERS

const WORKER = 1
const VALIDATOR = 2
const WITNESS = 4
const KEEPER = 8
const OWNER = 32

const SALT = 10n ** 18n
const DOLLAR = 1_000_000n
const BOND = 1_000n * SALT
const ALL_PURPOSES = 31
const SET_UP_SEED = 0
const ROUNDS = 2
const SHARES = 5
const ROWS = 12

const secretOf = (name: string): Uint8Array => sha256(utf8(`potluck sim ${name}`))
const accountOf = (secret: Uint8Array): Account => ({ secret, address: addressOfSecret(secret) })

function rolesOf(index: number): number {
  if (index < FIRST_VALIDATOR) return WORKER
  if (index < FIRST_KEEPER) return VALIDATOR
  if (index < FIRST_OWNER) return WITNESS | KEEPER
  return WORKER | OWNER | (index < FIRST_OWNER + 2 ? WITNESS : 0)
}

/** A made-up table in the layout of the heart data; its decimals occur nowhere else, so that a leak would be found. */
function tableOf(index: number): NonNullable<NodePlan['table']> {
  const draws = new Draws(index, 'table')
  const decimals = (from: number, to: number): string => (from + draws.uniform() * (to - from)).toFixed(6)
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const numbers = [decimals(90, 180), decimals(150, 350)]
    const categories = [draws.between(0, 1), draws.between(0, 2)]
    return [
      decimals(30, 75),
      draws.between(0, 1),
      draws.between(1, 4),
      ...numbers,
      ...categories,
      decimals(80, 200),
      draws.between(0, 1),
      decimals(0, 4),
      '?,?,?',
      row % 2,
    ].join(',')
  })
  const dataset: DatasetConfig = {
    table: `table-${index}.csv`,
    schema: 'heart',
    testLines: [0, 1],
    name: `Table ${index}`,
    description: 'Made up.',
    licence: 'train and sell',
    source: 'none',
    purposes: ALL_PURPOSES,
    minSharePpm: 100_000,
    trainPriceUnits: DOLLAR,
    contributorsSharePpm: 0,
    contributors: [],
  }
  return { dataset, rows: parseHeartCsv(lines.join('\n'), { file: dataset.table }) }
}

function planOf(index: number): NodePlan {
  const secret = secretOf(`node ${index}`)
  return {
    index,
    identity: {
      node: addressOfSecret(secretOf(`cold ${index}`)),
      secret,
      key: addressOfSecret(secret),
      url: `http://node-${index}.sim`,
      roles: rolesOf(index),
    },
    ...(index >= FIRST_OWNER && { table: tableOf(index) }),
  }
}

const TEXT = 'the pot is full of rice and luck. '.repeat(12)
const CONFIG: LanguageConfig = {
  vocabulary: vocabularyOf(TEXT),
  context: 8,
  width: 8,
  layers: 1,
  heads: 1,
  hidden: 16,
}
const RECIPE = {
  config: CONFIG,
  batch: 2,
  steps: 4,
  learningRate: 0.01,
  weightDecay: 0,
  warmupSteps: 0,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  stateEverySteps: 1,
}

/** Contract calls of the set-up, each mined at once. */
function directClient(anvil: Anvil, deployment: Deployment, secret: Uint8Array): Chain {
  const wire = {
    request: ({ method, params }: { method: string; params?: unknown }) => anvil.request(method, params),
    wait: () => Promise.resolve(),
  }
  return createChain({ rpcUrl: anvil.rpcUrl, deployment, secret, wire })
}

async function register(anvil: Anvil, deployment: Deployment, bank: Chain, plan: NodePlan): Promise<void> {
  const { chainId, contracts } = deployment
  const { identity } = plan
  for (const address of [identity.node, identity.key]) {
    await anvil.request('anvil_setBalance', [address, '0x56bc75e2d63100000'])
  }
  const cold = directClient(anvil, deployment, secretOf(`cold ${plan.index}`))
  const digest = nodeKeyDigest(registryDomain(chainId, contracts.registry), identity.node)
  await bank.send('salt', 'transfer', [identity.node, BOND])
  const proof = toHex(signDigest(digest, identity.secret))
  await cold.send('registry', 'register', [identity.key, identity.roles, identity.url, proof])
  await cold.send('registry', 'allowLocker', [contracts.jobs, true])
  await cold.send('salt', 'approve', [contracts.registry, BOND])
  await cold.send('registry', 'bond', [BOND])
}

const TIMES = { fixSeconds: 30, beaconBlocks: 1, revealSeconds: 8, turnSeconds: 6, challengeSeconds: 4 }

/** Deploys, registers, lets the owners register their tables and everybody enrol in two jobs: all by the code that daemons run. */
export async function setUpNetwork(): Promise<Network> {
  const anvil = await startAnvil()
  const engine = await createEngine()
  const [deployer, builderSecret, payerSecret, operatorSecret] = embeddedAccounts as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const builder = accountOf(builderSecret)
  const payer = accountOf(payerSecret)
  const saltSupply = 1_000_000n * SALT
  const deployment = await deployContracts({
    rpcUrl: anvil.rpcUrl,
    secret: deployer,
    saltHolders: [{ address: addressOfSecret(deployer), amount: saltSupply }],
    embeddedDollar: true,
    settings: { pollMs: 250, confirmations: 1 },
  })
  const token = (deployment.tokens[0] as { address: Hex }).address
  const bank = directClient(anvil, deployment, deployer)
  for (const { address } of [builder, payer]) await bank.erc20(token).send('mint', [address, 1_000n * DOLLAR])
  const plans = Array.from({ length: WORKERS + VALIDATORS + KEEPERS + OWNERS }, (_, index) => planOf(index))
  for (const plan of plans) await register(anvil, deployment, bank, plan)

  const network: Network = {
    anvil,
    engine,
    deployment,
    plans,
    disks: plans.map(() => new Map()),
    blocks: [],
    builder,
    payer,
    operator: accountOf(operatorSecret),
    languageJob: 0,
    privateJob: 0,
    paidVersion: 0,
    channelSalt: toHex(secretOf('channel')),
    seconds: 0,
    saltSupply,
    snapshot: '',
  }
  await live(network, (world) => world.events.filter(({ name }) => name === 'VersionAdded').length === OWNERS)
  await createJobs(network, token)
  await live(network, (world) => {
    const enrolled = world.events.filter(({ name }) => name === 'Enrolled').length
    return enrolled === WORKERS + OWNERS + 2 * (VALIDATORS + WITNESSES)
  })
  await live(network, (world) => world.scheduler.nowMs > (network.seconds + 4) * 1000)
  await anvil.request('evm_setAutomine', [false])
  network.snapshot = (await anvil.request('evm_snapshot')) as string
  // The first executions compile their programs, in real time and not in simulated time.
  const base = initialParameters(CONFIG, secretOf('model'))
  const tokens = Uint8Array.from(TEXT, (character) => CONFIG.vocabulary.indexOf(character))
  await trainLocally(engine, { recipe: RECIPE, base, tokens, seed: secretOf('warm up') })
  return network
}

async function secondsNow(anvil: Anvil): Promise<number> {
  const block = (await anvil.request('eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
  return Number(block.timestamp)
}

/** Runs the nodes without faults until something has happened; keeps their disks and blocks. */
async function live(network: Network, isDone: (world: World) => boolean): Promise<void> {
  const { anvil } = network
  await anvil.request('evm_setAutomine', [false])
  network.seconds = await secondsNow(anvil)
  const world = await World.open(network, SET_UP_SEED, { vices: new Map(), weather: FAIR })
  const isOver = await world.scheduler.run((network.seconds + 120) * 1000, () => isDone(world))
  if (!isOver) throw new Error(`the network was not set up: ${JSON.stringify(world.logs.slice(-20))}`)
  network.disks = world.nodes.map(({ disk }) => disk)
  network.blocks = []
  for (const [node, { store }] of world.nodes.entries()) {
    for await (const cid of store.list()) {
      network.blocks.push({ node, codec: cid.code, bytes: (await store.get(cid)) as Uint8Array })
    }
  }
  await anvil.request('evm_setAutomine', [true])
  network.seconds = await secondsNow(anvil)
}

/** Funds both jobs and the payer's channel; what nodes have to fetch lies with the keepers. */
async function createJobs(network: Network, token: Hex): Promise<void> {
  const { anvil, deployment } = network
  const { contracts } = deployment
  const store = memoryBlockStore()
  const text = utf8(TEXT)
  const trainCid = (await store.put(text, RAW)).toString()
  const language = {
    type: 'job',
    kind: 'language',
    name: 'Simulated language job',
    description: '',
    workSeconds: 8,
    silenceSeconds: 3,
    trainCid,
    validCid: trainCid,
    seed: toHex(secretOf('job')),
    shares: SHARES,
    recipe: RECIPE,
    // No stake counts for anything: every claim is audited, so that a lie must come out.
    audit: { gainPpm: 1_000_000, colludingPpm: 0, auditors: 1, saltPriceE18: '0', newClaims: 0 },
  }
  const builder = directClient(anvil, deployment, network.builder.secret)
  const versions = [1n, 2n, 3n]
  const tabular = {
    type: 'job',
    kind: 'tabular',
    name: 'Simulated private job',
    description: '',
    workSeconds: 8,
    silenceSeconds: 4,
    table: 'heart',
    l2: 0.05,
    maxSteps: 2,
    tolerance: 1e-9,
    members: versions.map(Number),
  }
  const common = {
    token,
    committeeSize: 5,
    quorum: 3,
    workerBond: 100n * SALT,
    validatorBond: 100n * SALT,
    witnessBond: 10n * SALT,
    ...TIMES,
    minValidators: VALIDATORS,
    minWitnesses: WITNESSES,
    judge: contracts.judge,
    modelPurposes: 24,
    modelMinShare: 0,
    modelTrainPrice: 0n,
    missingPenalty: 20n * SALT,
    modelLicenceDigest: toHex(sha256(utf8('by the call'))),
    paramsVersion: 1,
    programRoot: toHex(keccak256(utf8('simulated'))),
  }
  const kinds = [
    {
      document: language,
      base: bytesOfFloats(initialParameters(CONFIG, secretOf('model'))),
      purpose: 0,
      trustClass: 0,
      rounds: ROUNDS,
      payPerRound: 5n * DOLLAR,
      minWorkers: WORKERS,
      contributorsShare: 300_000,
      dataVersions: [] as bigint[],
      parentShares: [] as number[],
    },
    {
      document: tabular,
      base: new Uint8Array(),
      purpose: 1,
      trustClass: 2,
      rounds: 1,
      payPerRound: 3n * DOLLAR,
      minWorkers: OWNERS,
      contributorsShare: 0,
      dataVersions: versions,
      parentShares: versions.map(() => 150_000),
    },
  ]
  await builder.erc20(token).send('approve', [contracts.jobs, 1_000n * DOLLAR])
  for (const { document, base, ...terms } of kinds) {
    const specDigest = toHex(digestOf(await putObject(store, document)))
    const baseDigest = toHex(digestOf(await store.put(base, RAW)))
    const baseRoot = toHex(merkleRootOfBytes(base))
    await builder.send('jobs', 'create', [{ ...common, ...terms, specDigest, baseDigest, baseRoot }])
  }
  network.languageJob = 1
  network.privateJob = 2
  network.paidVersion = 1
  const payer = directClient(anvil, deployment, network.payer.secret)
  await payer.erc20(token).send('approve', [contracts.channels, DEPOSIT])
  await payer.send('channels', 'open', [channelOf(network), DEPOSIT])
  for (const node of [FIRST_KEEPER, FIRST_KEEPER + 1, FIRST_KEEPER + 2]) {
    for await (const cid of store.list()) {
      const bytes = (await store.get(CID.parse(cid.toString()))) as Uint8Array
      network.blocks.push({ node, codec: cid.code, bytes })
    }
  }
}

export const stopNetwork = (network: Network): Promise<void> => network.anvil.stop()
