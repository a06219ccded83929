/** One node of a simulation: the daemon's own runtime and roles on simulated ports. Its disk and blocks outlive a crash, nothing else does. */
import type { Engine } from '@potluck/engine'
import { splitByLines, type TableRow } from '@potluck/learning'
import {
  createChampionRole,
  createDatasetOwner,
  createEarner,
  createLeafShower,
  createOwner,
  createPrograms,
  createValidator,
  createWitness,
  createWorker,
  type DatasetConfig,
  type Disk,
  type Identity,
  type LogLevel,
  NodeRuntime,
  type Ports,
  type Role,
} from '@potluck/node'
import { fromHex, type Hex, PotluckError } from '@potluck/protocol'
import { type BlockStore, CID, cidOfDigest, linksOf, memoryBlockStore, readFile, verifyBlock } from '@potluck/store'
import type { Draws } from './Draws.ts'
import type { Links } from './Links.ts'
import type { Life, Scheduler } from './Scheduler.ts'
import type { SimChain } from './SimChain.ts'

export type NodePlan = {
  index: number
  identity: Identity
  /** A private table with its configuration, for a data owner. */
  table?: { dataset: DatasetConfig; rows: readonly TableRow[] }
}

/** What a node does wrong, if anything. `bend` changes its roles; `fault` its program; `stepMs` its speed; `spoilsBlocks` what it serves. */
export type Vice = {
  fault?: 'lazy' | 'twisting'
  bend?: (roles: Role[]) => Role[]
  stepMs?: number
  spoilsBlocks?: boolean
}

export type LogLine = { atMs: number; node: number; level: LogLevel; event: string; facts: Record<string, unknown> }

export type Surroundings = {
  scheduler: Scheduler
  links: Links
  chain: SimChain
  engine: Engine
  draws: Draws
  nodeAt: (url: string) => SimNode | undefined
  log: (line: LogLine) => void
  onFault: (node: number, error: unknown) => void
}

/** Training takes this long a step, on the slow machines of this network. */
const STEP_MS = 250

export class SimNode {
  readonly plan: NodePlan
  readonly disk: Map<string, string>
  readonly store: BlockStore = memoryBlockStore()
  readonly vice: Vice
  #around: Surroundings
  #skewMs: number
  #life: Life = { isAlive: false }
  #runtime: NodeRuntime | undefined

  constructor(plan: NodePlan, disk: ReadonlyMap<string, string>, vice: Vice, around: Surroundings) {
    this.plan = plan
    this.disk = new Map(disk)
    this.vice = vice
    this.#around = around
    this.#skewMs = around.draws.between(-300, 300)
  }

  get isUp(): boolean {
    return this.#life.isAlive
  }

  get network(): string {
    return this.#runtime?.network ?? ''
  }

  /** Everything in memory is gone; whatever was awaited never comes. */
  crash(): void {
    this.#life.isAlive = false
  }

  /** A fresh process on the same disk. */
  start(): void {
    const life: Life = { isAlive: true }
    this.#life = life
    const { links, onFault } = this.#around
    const { index } = this.plan
    const runtime = this.#createRuntime(life)
    this.#runtime = runtime
    links.attach(index, life, (bytes) => {
      try {
        runtime.receive(bytes)
      } catch (error) {
        onFault(index, error)
      }
    })
    void runtime.run().catch((error: unknown) => onFault(index, error))
  }

  #createRuntime(life: Life): NodeRuntime {
    const ports = this.#createPorts(life)
    const { identity, table } = this.plan
    const { engine, scheduler, links } = this.#around
    const rows = table && splitByLines(table.rows, table.dataset.testLines)
    const owner = table && rows && createDatasetOwner(table.dataset, { all: table.rows, test: rows.test })
    const earner = createEarner({
      ownLists: () => owner?.ownLists(runtime.history, identity.node)() ?? [],
      leastUnits: 1n,
    })
    const roles: Role[] = [
      createWorker(),
      ...(rows ? [createOwner(rows.train)] : []),
      createWitness(),
      createValidator(),
      createChampionRole(),
      createLeafShower(),
    ]
    const runtime: NodeRuntime = new NodeRuntime(ports, identity, {
      roles: this.vice.bend?.(roles) ?? roles,
      chores: [...(owner ? [owner] : []), earner],
      programOf: createPrograms(ports, {
        engine: async () => ({
          ...engine,
          prepare: (program, options) => scheduler.real(life, () => engine.prepare(program, options)),
        }),
        pause: () => scheduler.sleep(this.vice.stepMs ?? STEP_MS, life),
        fault: this.vice.fault ?? 'none',
      }),
      peer: `sim-${this.plan.index}`,
      open: links.open,
    })
    return runtime
  }

  #createPorts(life: Life): Ports {
    const { scheduler, links, chain, draws, log } = this.#around
    const { index, identity } = this.plan
    const { disk } = this
    const simDisk: Disk = {
      get: (key) => disk.get(key),
      set: (key, value) => void disk.set(key, value),
      delete: (key) => void disk.delete(key),
      keys: (prefix) => [...disk.keys()].filter((key) => key.startsWith(prefix)).sort(),
    }
    const store: BlockStore = {
      ...this.store,
      put: async (bytes, codec) => {
        await scheduler.sleep(draws.between(1, 10), life)
        return this.store.put(bytes, codec)
      },
    }
    const fetch: Ports['fetch'] = (digest, codec, urls) => this.#fetch(life, digest, codec, urls)
    return {
      clock: { nowMs: () => scheduler.nowMs + this.#skewMs, sleep: (ms, signal) => scheduler.sleep(ms, life, signal) },
      random: (count) => draws.bytes(count),
      publish: async (bytes) => links.publish(this.network, index, identity.key, bytes),
      chain: chain.clientOf(index, life, identity.secret),
      store,
      fetch,
      fetchFile: async (cid, urls) => {
        const root = CID.parse(cid)
        const waiting = [root]
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const digest: Hex = `0x${Buffer.from(next.multihash.digest).toString('hex')}`
          waiting.push(...linksOf(next, await fetch(digest, next.code, urls)))
        }
        return readFile(this.store, root)
      },
      disk: simDisk,
      log: (level, event, facts = {}) => log({ atMs: scheduler.nowMs, node: index, level, event, facts }),
      signal: new AbortController().signal,
    }
  }

  async #fetch(life: Life, digest: Hex, codec: number, urls: readonly string[]): Promise<Uint8Array> {
    const { scheduler, links, nodeAt } = this.#around
    const cid = cidOfDigest(codec, fromHex(digest))
    const held = await this.store.get(cid)
    if (held) return held
    for (const url of urls) {
      await scheduler.sleep(2 * links.latencyMs(), life)
      const peer = nodeAt(url)
      if (!peer || !links.canReach(this.plan.index, peer.plan.index)) continue
      const bytes = await peer.serve(cid)
      if (!bytes || !verifyBlock(cid, bytes)) continue
      await this.store.put(bytes, codec)
      return bytes
    }
    throw new PotluckError('NOT_FOUND', `nobody has ${cid}`, { digest, sources: urls.length }, { remedy: 'retry' })
  }

  /** What this node's block server answers. */
  async serve(cid: CID): Promise<Uint8Array | undefined> {
    const bytes = await this.store.get(cid)
    if (!bytes || !this.vice.spoilsBlocks) return bytes
    return bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  }
}
