import type { Hex } from '@potluck/protocol'
import type { ChainHistory } from './ChainHistory.ts'
import type { NodeContext } from './JobView.ts'

/** Where blocks may be had. */
export class BlockSources {
  #context: NodeContext
  #history: ChainHistory

  constructor(context: NodeContext, history: ChainHistory) {
    this.#context = context
    this.#history = history
  }

  /** The addresses given, then everybody heard of lately, then whoever is registered; never this node. */
  all(...first: (string | undefined)[]): string[] {
    const { directory, ports, identity } = this.#context
    const peers = directory.all(ports.clock.nowMs()).map(({ url }) => url)
    const given = first.filter((url) => url !== undefined)
    const all = new Set([...given, ...peers, ...this.#history.endpointOf.values()])
    all.delete(identity.url)
    return [...all]
  }

  /** The same with one node, the likeliest, before all others. */
  withFirst(node: Hex | null): string[] {
    return this.all(node ? (this.#context.directory.urlOf(node) ?? this.#history.endpointOf.get(node)) : undefined)
  }
}
