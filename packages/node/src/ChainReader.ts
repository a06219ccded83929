import type { ChainHistory } from './ChainHistory.ts'
import type { Ports } from './Ports.ts'

/** How often the chain is asked for news: as often as an embedded chain has any, or seldom without a part in a job. */
const READ_MS = 230
const IDLE_READ_MS = 1_000

/** Folds what is new on the chain into the node's history, block by block. */
export class ChainReader {
  #ports: Pick<Ports, 'chain' | 'clock'>
  #history: ChainHistory
  #nextBlock: bigint
  #blockNumber = 0n
  #readMs = 0

  constructor(ports: Pick<Ports, 'chain' | 'clock'>, history: ChainHistory) {
    this.#ports = ports
    this.#history = history
    this.#nextBlock = BigInt(ports.chain.deployment.block)
  }

  /** The head that was read last; 0 before any. */
  get blockNumber(): bigint {
    return this.#blockNumber
  }

  /** Reads up to the head, unless it did so lately. A node that has no part in a running job need not hear of every block at once. */
  async read(isEngaged: boolean): Promise<void> {
    const { chain, clock } = this.#ports
    const now = clock.nowMs()
    if (now - this.#readMs < (isEngaged ? READ_MS : IDLE_READ_MS)) return
    this.#readMs = now
    const head = await chain.blockNumber()
    if (head === this.#blockNumber) return
    if (head >= this.#nextBlock) {
      const events = await chain.events({ fromBlock: this.#nextBlock, toBlock: head })
      for (const event of events) this.#history.fold(event)
      this.#nextBlock = head + 1n
    }
    this.#blockNumber = head
  }
}
