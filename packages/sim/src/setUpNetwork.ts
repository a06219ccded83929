import { type Chain, type Deployment, deployContracts, embeddedAccounts } from '@potluck/chain'
import { createEngine, initialParameters, trainLocally } from '@potluck/engine'
import { addressOfSecret, type Hex, nodeKeyDigest, registryDomain, signDigest, toHex } from '@potluck/protocol'
import { type Anvil, startAnvil } from './anvil.ts'
import { CONFIG, createJobs, type JobsSetting, RECIPE, TEXT } from './createJobs.ts'
import { directClient } from './directClient.ts'
import type { Account, Network } from './Network.ts'
import { FIRST_OWNER, OWNERS, planOf, secretOf, VALIDATORS, WITNESSES, WORKERS } from './nodePlans.ts'
import type { NodePlan } from './SimNode.ts'
import { FAIR, World } from './World.ts'

const SALT = 10n ** 18n
const DOLLAR = 1_000_000n
const BOND = 1_000n * SALT
const SET_UP_SEED = 0

const accountOf = (secret: Uint8Array): Account => ({ secret, address: addressOfSecret(secret) })

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
  for (const locker of [contracts.jobs, contracts.referee]) await cold.send('registry', 'allowLocker', [locker, true])
  await cold.send('salt', 'approve', [contracts.registry, BOND])
  await cold.send('registry', 'bond', [BOND])
}

/** Deploys, registers, lets the owners register their tables and everybody enrol in two jobs: all by the code that daemons run. */
export async function setUpNetwork({
  workSeconds = 6,
  owners = OWNERS,
  leastMembers,
}: Partial<JobsSetting> = {}): Promise<Network> {
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
    clockSeconds: 30,
    settings: { pollMs: 250, confirmations: 1 },
  })
  const token = (deployment.tokens[0] as { address: Hex }).address
  const bank = directClient(anvil, deployment, deployer)
  for (const { address } of [builder, payer]) await bank.erc20(token).send('mint', [address, 1_000n * DOLLAR])
  const plans = Array.from({ length: FIRST_OWNER + owners }, (_, index) => planOf(index))
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
  await live(network, (world) => world.events.filter(({ name }) => name === 'VersionAdded').length === owners)
  await createJobs(network, token, { workSeconds, owners, leastMembers })
  await live(network, (world) => {
    const enrolled = world.events.filter(({ name }) => name === 'Enrolled').length
    return enrolled === WORKERS + owners + 2 * (VALIDATORS + WITNESSES)
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

export const stopNetwork = (network: Network): Promise<void> => network.anvil.stop()
