import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import { createChain, networkName, readDeployment } from '@potluck/chain'
import type { Engine } from '@potluck/engine'
import { parseHeartCsv, splitByLines, type TableRow } from '@potluck/learning'
import { createNet, type Net } from '@potluck/net'
import { addressOfSecret, codeOf, fromHex, openMessage, PotluckError } from '@potluck/protocol'
import { createLocalEngine, isExact, judgeEngine } from '@potluck/runtime'
import {
  type BlockStore,
  blockUrl,
  CID,
  cidOfDigest,
  createBlockHandler,
  createFetcher,
  fetchFile,
  fileBlockStore,
  readFile,
} from '@potluck/store'
import { NodeRuntime } from '../NodeRuntime.ts'
import type { Identity, Ports } from '../Ports.ts'
import { createPrograms } from '../program/programs.ts'
import { createChampionRole } from '../roles/champion.ts'
import { createDatasetOwner } from '../roles/datasetOwner.ts'
import { createEarner } from '../roles/earner.ts'
import { createLeafShower } from '../roles/leafShower.ts'
import { createOwner } from '../roles/owner.ts'
import { createRowBudget } from '../roles/rowBudget.ts'
import { createValidator } from '../roles/validator.ts'
import { createWitness } from '../roles/witness.ts'
import { createWorker } from '../roles/worker.ts'
import { fastRecover } from './fastRecover.ts'
import { startHttpServer } from './httpServer.ts'
import { jsonLog } from './jsonLog.ts'
import type { DatasetConfig, NodeConfig } from './nodeConfig.ts'
import { readKey } from './readKey.ts'
import { sqliteDisk } from './sqliteDisk.ts'
import { createStatusHandler } from './statusHandler.ts'

export type RunningNode = {
  runtime: NodeRuntime
  ports: Ports
  net: Net
  /** Base URL of blocks and status. */
  url: string
  engine: () => Promise<Engine>
  stop(): Promise<void>
}

/** Blocks of others by digest or CID, kept in our store. Sources change with every call, so each call says its own. */
function createFetching(store: BlockStore): Pick<Ports, 'fetch' | 'fetchFile'> & { close(): Promise<void> } {
  const sourcesOf = new Map<string, readonly string[]>()
  const fetcher = createFetcher({
    urls: (cid) => (sourcesOf.get(cid.toString()) ?? everywhere).map((base) => blockUrl(base, cid)),
  })
  let everywhere: readonly string[] = []
  return {
    async fetch(digest, codec, urls, signal) {
      const cid = cidOfDigest(codec, fromHex(digest))
      const held = await store.get(cid)
      if (held) return held
      sourcesOf.set(cid.toString(), urls)
      try {
        const bytes = await fetcher.fetchBlock(cid, signal ? { signal } : {})
        await store.put(bytes, codec)
        return bytes
      } finally {
        sourcesOf.delete(cid.toString())
      }
    },
    async fetchFile(cid, urls, signal) {
      everywhere = urls
      await fetchFile(fetcher, store, CID.parse(cid), signal ? { signal } : {})
      return readFile(store, CID.parse(cid))
    },
    close: () => fetcher.close(),
  }
}

function readTable(dataset: DatasetConfig): { all: TableRow[]; train: TableRow[]; test: TableRow[] } {
  let text: string
  try {
    text = readFileSync(dataset.table, 'utf8')
  } catch (cause) {
    throw new PotluckError(
      'TABLE_MISSING',
      `cannot read the table ${dataset.table}: ${(cause as Error).message}`,
      { file: dataset.table },
      { cause, remedy: 'fix-setup' },
    )
  }
  const all = parseHeartCsv(text, { file: dataset.table })
  return { all, ...splitByLines(all, dataset.testLines) }
}

/**
 * Starts one participant of the network: chain client, gossip, blocks over HTTP, and every role it is registered for. It runs until
 * `stop` or until `signal` is aborted; failures of peers, chain and disk are logged and outlived.
 *
 * @throws PotluckError KEY_MISSING, BAD_KEY, BAD_DEPLOYMENT, PORT_TAKEN, TABLE_MISSING and the table's own errors
 */
export async function startNode(config: NodeConfig, signal: AbortSignal): Promise<RunningNode> {
  const secret = readKey(config.keyFile)
  const deployment = readDeployment(config.deployment)
  const table = config.dataset && readTable(config.dataset)
  const log = jsonLog((line) => process.stdout.write(`${line}\n`), config.logLevel)
  const disk = sqliteDisk(join(config.dir, 'state.db'))
  const store = fileBlockStore(config.dir, {
    onCorrupt: (cid, path) => log('warn', 'block corrupt', { cid: String(cid), path }),
  })
  const chain = createChain({ rpcUrl: config.rpcUrl, deployment, secret })
  const stopping = new AbortController()
  const both = AbortSignal.any([signal, stopping.signal])

  let engine: Promise<Engine> | undefined
  const engineOnce = (): Promise<Engine> => {
    engine ??= createLocalEngine()
    return engine
  }
  let verdict: Promise<boolean> | undefined
  /** Asked once, of a machine that would work or audit: a machine that differs would only lose its bond. */
  async function judgeMachine(): Promise<boolean> {
    const found = await judgeEngine(await engineOnce())
    if (isExact(found)) return true
    const { executor, differences, error } = found
    const why = error ?? differences.map(({ path }) => path).join(', ')
    log('warn', 'this machine computes something else than everybody: it takes no exact jobs', { executor, why })
    return false
  }
  const fetching = createFetching(store)
  let net: Net | undefined
  const ports: Ports = {
    clock: { nowMs: () => Date.now(), sleep: (ms, stop) => sleep(ms, undefined, stop ? { signal: stop } : {}) },
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    publish: async (bytes) => {
      await net?.publish(bytes)
    },
    chain,
    store,
    fetch: fetching.fetch,
    fetchFile: fetching.fetchFile,
    disk,
    log,
    signal: both,
  }

  // The server comes first: a message may name our URL as soon as we speak.
  let status: ReturnType<typeof createStatusHandler> | undefined
  const blocks = createBlockHandler(store, {
    onError: (error) => log('warn', 'block not served', { why: String(error) }),
  })
  const { server, url } = await startHttpServer(config.host, config.httpPort, [
    blocks,
    (request, response) => status?.(request, response) ?? false,
  ])
  const topic = `potluck/1/${networkName(deployment)}`
  net = await createNet({
    privateKey: secret,
    listen: [`/ip4/${config.host}/tcp/${config.p2pPort}`],
    bootstrap: config.bootstrap,
    topic,
    signal: both,
    onError: (error) => log('debug', 'net', { why: String(error) }),
  })

  const { node, roles, region } = config
  const identity: Identity = { node, secret, key: addressOfSecret(secret), url, roles, region }
  const datasetOwner = config.dataset && table ? createDatasetOwner(config.dataset, table) : undefined
  const earner = createEarner({
    ownLists: () => (datasetOwner ? datasetOwner.ownLists(runtime.history, config.node)() : []),
    leastUnits: config.collectLeastUnits,
  })
  const privacy = config.dataset?.privacy
  const rowBudget = config.dataset && privacy && createRowBudget(disk, node, config.dataset.name, privacy)
  const worker = createWorker()
  const runtime: NodeRuntime = new NodeRuntime(ports, identity, {
    roles: [
      worker,
      ...(table ? [createOwner(table.train, rowBudget)] : []),
      createWitness(),
      createValidator(),
      createChampionRole(),
      createLeafShower(),
    ],
    chores: [...(datasetOwner ? [datasetOwner] : []), earner],
    programOf: createPrograms(ports, { engine: engineOnce, pause: () => breathe(), fault: config.fault }),
    peer: net.peerId,
    isExact: () => {
      verdict ??= judgeMachine()
      return verdict
    },
    open: (network, bytes, nowMs) => openMessage(network, bytes, nowMs, fastRecover),
  })
  status = createStatusHandler(runtime, net, {
    evaluations: () => [...(datasetOwner?.evaluations.values() ?? [])],
    lateIn: (job) => worker.lateIn(job),
    rowBudget,
  })
  net.onMessage((bytes) => runtime.receive(bytes))
  log('info', 'node started', { node: config.node, key: identity.key, url, p2p: net.addresses(), roles: config.roles })
  const running = runtime.run()

  return {
    runtime,
    ports,
    net,
    url,
    engine: engineOnce,
    async stop() {
      stopping.abort(new Error('stopping'))
      await running
      await net?.stop().catch((error: unknown) => log('debug', 'net stop', { code: codeOf(error) ?? '' }))
      await fetching.close()
      server.closeAllConnections()
      server.close()
      disk.close()
    },
  }
}
