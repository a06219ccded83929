import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  createChain,
  deployContracts,
  embeddedAccounts,
  readDeployment,
  setEmbeddedBalance,
  writeDeployment,
} from '@potluck/chain'
import type { NodeConfig } from '@potluck/node'
import { addressOfSecret, type Hex } from '@potluck/protocol'
import { registerNode } from '../actions/registerNode.ts'
import { keyAt } from '../network/keyFile.ts'
import type { Layout } from '../network/layout.ts'
import { hospitals, type Participant, type Plan, participant, validators, workers } from '../network/plan.ts'
import type { ProcessSpec } from '../supervise/Supervisor.ts'
import { heartFile, heartTestLines } from './heartData.ts'

const SALT = 10n ** 18n
const COIN = 10n ** 18n
const main = fileURLToPath(new URL('../main.ts', import.meta.url))

/** Deploys once; a later start finds the file. The deployer keeps no right but to mint the play dollar. */
export async function deployOnce(layout: Layout, rpcUrl: string): Promise<void> {
  if (existsSync(layout.deployment)) return
  const deployer = embeddedAccounts[0] as Uint8Array
  const deployment = await deployContracts({
    rpcUrl,
    secret: deployer,
    saltHolders: [{ address: addressOfSecret(deployer), amount: 1_000_000_000n * SALT }],
    name: 'embedded',
    embeddedDollar: true,
    // Nobody censors the embedded chain: a restarted process still has time to answer.
    clockSeconds: 20,
    challengeBond: 100n * SALT,
  })
  writeDeployment(layout.deployment, deployment)
}

/** Gives everyone coins for gas, SALT for bonds and, to those who buy, play dollars; registers each node with its cold key. */
export async function registerEveryone(layout: Layout, plan: Plan, rpcUrl: string, buyers: Hex[]): Promise<void> {
  const deployment = readDeployment(layout.deployment)
  const treasury = createChain({ rpcUrl, deployment, secret: embeddedAccounts[0] as Uint8Array })
  const accounts = [...plan.participants.flatMap(({ node, key }) => [node, key]), ...buyers]
  await Promise.all(accounts.map((account) => setEmbeddedBalance(rpcUrl, account, 100n * COIN)))
  const bondWei = 2_000n * SALT
  await Promise.all([
    ...plan.participants.map(async ({ node }) => {
      const held = (await treasury.read.salt.balanceOf([node])) + (await treasury.read.registry.bondOf([node]))
      if (held < bondWei) await treasury.send('salt', 'transfer', [node, bondWei - held])
    }),
    ...buyers.map(async (buyer) => {
      const token = treasury.erc20((deployment.tokens[0] as { address: Hex }).address)
      if ((await token.read.balanceOf([buyer])) === 0n) await token.send('mint', [buyer, 1_000_000_000n])
    }),
  ])
  await Promise.all(
    plan.participants.map(async (one) => {
      const cold = createChain({ rpcUrl, deployment, secret: keyAt(layout.coldKey(one.name)) })
      await registerNode(cold, {
        nodeSecret: keyAt(layout.nodeKey(one.name)),
        nodeKey: one.key,
        roles: one.roles,
        endpoint: `http://127.0.0.1:${one.httpPort}`,
        bondWei,
      })
    }),
  )
}

function datasetOf(name: string, investigator: Hex): NonNullable<NodeConfig['dataset']> {
  return {
    table: heartFile(name),
    schema: 'heart',
    testLines: heartTestLines(name),
    name: `Heart disease, ${name}`,
    description: 'Patients examined for coronary heart disease: 10 measurements and the finding.',
    licence: 'CC BY 4.0; training by masked sums only, at the share asked',
    source: 'UCI heart disease (Janosi, Steinbrunn, Pfisterer, Detrano 1988)',
    purposes: 31,
    minSharePpm: 150_000,
    trainPriceUnits: 1_000_000n,
    contributorsSharePpm: 100_000,
    contributors: [{ account: investigator, weight: 1n }],
  }
}

/** Seventeen nodes share one machine: their heaps are collected before they grow to what one alone could have. */
const smallHeap = ['--max-semi-space-size=2', '--max-old-space-size=192']
/** Those that train nothing can do with slower code. */
const smallCode = ['--optimize-for-size', ...smallHeap]

/** What each process is told: its own folder and keys, the chain, one address of the network. */
export function nodeProcess(
  layout: Layout,
  plan: Plan,
  one: Participant,
  options: { rpcUrl: string; liar: string; databaseUrl: string; investigators: ReadonlyMap<string, Hex> },
): ProcessSpec {
  const first = participant(plan, 'archive')
  const isHospital = (hospitals as readonly string[]).includes(one.name)
  const isTraining = ([...workers, ...validators] as readonly string[]).includes(one.name)
  const node = {
    dir: layout.node(one.name),
    rpcUrl: options.rpcUrl,
    deployment: layout.deployment,
    keyFile: layout.nodeKey(one.name),
    node: one.node,
    roles: one.roles,
    httpPort: one.httpPort,
    p2pPort: one.p2pPort,
    bootstrap: one.name === first.name ? [] : [`/ip4/127.0.0.1/tcp/${first.p2pPort}`],
    logLevel: 'info',
    ...(isHospital ? { dataset: datasetOf(one.name, options.investigators.get(one.name) as Hex) } : {}),
    ...(one.name === options.liar ? { fault: 'lazy' } : {}),
  }
  const service = one.service
    ? {
        [one.service]: {
          port: one.servicePort,
          ...(one.service === 'ledger' ? { databaseUrl: options.databaseUrl } : {}),
        },
      }
    : {}
  const text = JSON.stringify(
    { node, ...service },
    (_, value) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  )
  writeFileSync(layout.config(one.name), `${text}\n`, { mode: 0o600 })
  return {
    name: one.name,
    args: [...(isTraining ? smallHeap : smallCode), main, 'node', '--config', layout.config(one.name)],
    logFile: layout.log(one.name),
    // Without this glibc keeps an arena for each thread, each with memory it does not give back.
    env: { MALLOC_ARENA_MAX: '2' },
  }
}
