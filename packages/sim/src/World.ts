/** One run of the network: nodes, links, chain and time, from one seed. */
import type { ChainEvent, Deployment } from '@potluck/chain'
import type { Engine } from '@potluck/engine'
import type { Kind } from '@potluck/protocol'
import type { Anvil } from './anvil.ts'
import { Draws } from './Draws.ts'
import { Links, type Weather } from './Links.ts'
import { Scheduler } from './Scheduler.ts'
import { SimChain } from './SimChain.ts'
import { type LogLine, type NodePlan, SimNode, type Vice } from './SimNode.ts'

export type WorldPlan = {
  anvil: Anvil
  engine: Engine
  deployment: Deployment
  plans: readonly NodePlan[]
  disks: readonly ReadonlyMap<string, string>[]
  blocks: readonly { node: number; codec: number; bytes: Uint8Array }[]
  /** Time of the last block. */
  seconds: number
}

export class World {
  readonly scheduler: Scheduler
  readonly chain: SimChain
  readonly links: Links
  readonly nodes: SimNode[]
  readonly logs: LogLine[] = []
  readonly events: ChainEvent[] = []
  /** Errors that left a node. There should be none, ever. */
  readonly escaped: string[] = []
  readonly draws: (purpose: string) => Draws
  readonly #onEvent = new Set<(event: ChainEvent) => void>()
  readonly #onPublish = new Set<(node: number, kind: Kind) => void>()

  private constructor(plan: WorldPlan, seed: number, scheduler: Scheduler, chain: SimChain, options: WorldOptions) {
    this.draws = (purpose) => new Draws(seed, purpose)
    this.scheduler = scheduler
    this.chain = chain
    this.links = new Links(scheduler, this.draws('links'), options.weather, (node, kind) => {
      for (const hear of this.#onPublish) hear(node, kind)
    })
    const byUrl = new Map(plan.plans.map(({ index, identity }) => [identity.url, index]))
    this.nodes = plan.plans.map(
      (nodePlan, index) =>
        new SimNode(nodePlan, plan.disks[index] ?? new Map(), options.vices.get(index) ?? {}, {
          scheduler,
          links: this.links,
          chain,
          engine: plan.engine,
          draws: this.draws(`node ${index}`),
          nodeAt: (url) => this.nodes[byUrl.get(url) ?? -1],
          log: (line) => this.logs.push(line),
          onFault: (node, error) => this.escaped.push(`node ${node}: ${(error as Error).stack ?? error}`),
        }),
    )
  }

  static async open(plan: WorldPlan, seed: number, options: WorldOptions): Promise<World> {
    const scheduler = new Scheduler((plan.seconds + 1) * 1000)
    const chain = await SimChain.attach(plan.anvil, plan.deployment, scheduler, new Draws(seed, 'rpc'))
    const world = new World(plan, seed, scheduler, chain, options)
    for (const { node, codec, bytes } of plan.blocks) await world.nodes[node]?.store.put(bytes, codec)
    await chain.start((events) => {
      world.events.push(...events)
      for (const event of events) for (const hear of world.#onEvent) hear(event)
    })
    const draws = world.draws('start')
    for (const node of world.nodes) scheduler.after(draws.between(0, 500), { isAlive: true }, () => node.start())
    return world
  }

  onEvent(hear: (event: ChainEvent) => void): void {
    this.#onEvent.add(hear)
  }

  onPublish(hear: (node: number, kind: Kind) => void): void {
    this.#onPublish.add(hear)
  }
}

export type WorldOptions = { vices: ReadonlyMap<number, Vice>; weather: Weather }

export const FAIR: Weather = { lossPart: 0, twicePart: 0, latePart: 0 }
