/**
 * The chain as the nodes of a simulation meet it: real contracts on a real anvil, blocks at simulated times, every call of every node
 * through one queue. Views that many nodes ask in one block are computed and decoded once.
 */
import { type Chain, type ChainEvent, createChain, type Deployment } from '@potluck/chain'
import { PotluckError } from '@potluck/protocol'
import type { Anvil } from './anvil.ts'
import type { Draws } from './Draws.ts'
import type { Life, Scheduler } from './Scheduler.ts'

export const BLOCK_MS = 500
const ALWAYS: Life = { isAlive: true }

type Header = { number: string; timestamp: string; baseFeePerGas: string }
type Receipt = { transactionHash: string }

const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner))

export class SimChain {
  readonly deployment: Deployment
  /** Reads at once, in no simulated time; for the simulation itself, never for nodes. */
  readonly observer: Chain
  #anvil: Anvil
  #scheduler: Scheduler
  #draws: Draws
  /** Answers of views by contract. They hold until the contract says something: none of the views that nodes ask depends on the time. */
  #answers = new Map<string, Map<string, Promise<unknown>>>()
  /** Every event of the deployment so far, as `events` would read them. */
  #log: ChainEvent[] = []
  #receipts = new Map<string, unknown>()
  #head: Header
  #sent = 0
  #gaps = new Map<number, number>()
  #onBlock: (events: ChainEvent[]) => void = () => undefined

  private constructor(anvil: Anvil, deployment: Deployment, scheduler: Scheduler, draws: Draws, head: Header) {
    this.#anvil = anvil
    this.deployment = deployment
    this.#scheduler = scheduler
    this.#draws = draws
    this.#head = head
    const wire = {
      request: ({ method, params }: { method: string; params?: unknown }) => this.#answer(method, params),
      wait: () => Promise.resolve(),
    }
    this.observer = createChain({ rpcUrl: anvil.rpcUrl, deployment, wire })
  }

  static async attach(anvil: Anvil, deployment: Deployment, scheduler: Scheduler, draws: Draws): Promise<SimChain> {
    const head = (await anvil.request('eth_getBlockByNumber', ['latest', false])) as Header
    const chain = new SimChain(anvil, deployment, scheduler, draws, head)
    const range = { fromBlock: BigInt(deployment.block), toBlock: BigInt(head.number) }
    chain.#log = await chain.observer.events(range)
    return chain
  }

  /** Mines a block now and every `BLOCK_MS`; `onBlock` hears the events of each. */
  async start(onBlock: (events: ChainEvent[]) => void): Promise<void> {
    this.#onBlock = onBlock
    const beat = (): void => {
      void this.#scheduler.real(ALWAYS, () => this.#mine())
      this.#scheduler.after(BLOCK_MS, ALWAYS, beat)
    }
    this.#scheduler.after(0, ALWAYS, beat)
  }

  /** The node's endpoint answers nothing for a while. */
  cutOff(node: number, forMs: number): void {
    this.#gaps.set(node, this.#scheduler.nowMs + forMs)
  }

  /** What a node holds in one life: a real client whose network and time are simulated. */
  clientOf(node: number, life: Life, secret: Uint8Array): Chain {
    const wire = {
      request: ({ method, params }: { method: string; params?: unknown }) =>
        this.#ask(node, life, () => this.#answer(method, params)),
      wait: (ms: number, signal?: AbortSignal) => this.#scheduler.sleep(ms, life, signal),
    }
    const real = createChain({ rpcUrl: this.#anvil.rpcUrl, deployment: this.deployment, secret, wire })
    const { observer } = this
    const read = Object.fromEntries(
      Object.entries(observer.read).map(([contract, views]) => [
        contract,
        new Proxy(views, {
          get: (target: object, view) => {
            const call = Reflect.get(target, view) as (args?: unknown) => Promise<unknown>
            return (args?: unknown) =>
              this.#ask(node, life, () => this.#once(contract, `${String(view)}${keyOf(args ?? [])}`, () => call(args)))
          },
        }),
      ]),
    ) as Chain['read']
    return {
      ...real,
      read,
      blockNumber: () => this.#ask(node, life, async () => BigInt(this.#head.number)),
      events: ({ fromBlock, toBlock }) =>
        this.#ask(node, life, async () => this.#log.filter(({ block }) => block >= fromBlock && block <= toBlock)),
    }
  }

  #ask<T>(node: number, life: Life, compute: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#scheduler.after(this.#draws.between(2, 20), life, () => {
        if ((this.#gaps.get(node) ?? 0) > this.#scheduler.nowMs) {
          reject(new PotluckError('RPC_UNREACHABLE', 'no answer from the chain', {}, { remedy: 'retry' }))
          return
        }
        void this.#scheduler.real(life, compute).then(resolve, reject)
      })
    })
  }

  #once<T>(contract: string, key: string, compute: () => Promise<T>): Promise<T> {
    const answers = this.#answers.get(contract) ?? new Map<string, Promise<unknown>>()
    this.#answers.set(contract, answers)
    const known = answers.get(key) as Promise<T> | undefined
    if (known) return known
    const answer = compute()
    answers.set(key, answer)
    return answer
  }

  async #answer(method: string, params: unknown): Promise<unknown> {
    if (method === 'eth_blockNumber') return this.#head.number
    if (method === 'eth_maxPriorityFeePerGas') return '0x1'
    if (method === 'eth_getBlockByNumber' && (params as unknown[])[0] === 'latest') return this.#head
    if (method === 'eth_getTransactionReceipt') return this.#receipts.get((params as string[])[0] ?? '') ?? null
    if (method === 'eth_chainId') return `0x${this.deployment.chainId.toString(16)}`
    if (method === 'eth_sendRawTransaction') this.#sent++
    return this.#anvil.request(method, params)
  }

  async #mine(): Promise<void> {
    const seconds = Math.floor(this.#scheduler.nowMs / 1000)
    const [block] = (await this.#anvil.request('evm_mine_detailed', [{ timestamp: seconds }])) as Header[]
    if (block) this.#head = block
    if (this.#sent === 0) return
    this.#sent = 0
    const receipts = (await this.#anvil.request('eth_getBlockReceipts', [this.#head.number])) as Receipt[]
    for (const receipt of receipts) this.#receipts.set(receipt.transactionHash, receipt)
    const number = BigInt(this.#head.number)
    if (receipts.length === 0) return
    const events = await this.observer.events({ fromBlock: number, toBlock: number })
    for (const { contract } of events) this.#answers.delete(contract)
    this.#log.push(...events)
    this.#onBlock(events)
  }
}
