import { type Hex, sha256, toHex, utf8 } from '@potluck/protocol'
import type { LedgerChain, LedgerDeployment, LedgerEvent } from '../src/chain/LedgerChain.ts'

export const address = (name: string): Hex => toHex(sha256(utf8(name)).subarray(0, 20))
export const hashOf = (name: string): Hex => toHex(sha256(utf8(name)))

type Scripted = [contractAndName: string, args: Record<string, unknown>]

/** A chain that a test writes block by block, and rewrites. Blocks come 10 s apart; one transaction a `mine`, unless said otherwise. */
export class ScriptedChain implements LedgerChain {
  readonly deployment: LedgerDeployment = {
    chainId: 31337,
    block: 1,
    contracts: {
      salt: address('salt'),
      registry: address('registry'),
      assets: address('assets'),
      jobs: address('jobs'),
      judge: address('judge'),
      referee: address('referee'),
      channels: address('channels'),
    },
    tokens: [{ symbol: 'USD', address: address('usd'), decimals: 6 }],
    settings: { confirmations: 1, pollMs: 100_000 },
  }
  /** Every event is handed out twice. */
  duplicates = false
  /** What the endpoint says of old states: nothing, as one that prunes. */
  pruned = false
  readonly balances = new Map<string, bigint>()
  #blocks: { hash: Hex; events: LedgerEvent[] }[] = [{ hash: hashOf('genesis'), events: [] }]
  #fork = 0

  /** A block with one transaction of these events; its hash. */
  mine(...events: Scripted[]): Hex {
    const block = this.#blocks.length
    const txHash = hashOf(`tx ${block} of fork ${this.#fork}`)
    this.#blocks.push({
      hash: hashOf(`block ${block} of fork ${this.#fork}`),
      events: events.map(([name, args], logIndex) => ({
        contract: name.split('.')[0] as string,
        name: name.split('.')[1] as string,
        args,
        block: BigInt(block),
        txHash,
        logIndex,
        timestamp: BigInt(block * 10),
      })),
    })
    return txHash
  }

  /** Forgets the newest blocks; what is mined next is another history. */
  forget(blocks: number): void {
    this.#blocks.length -= blocks
    this.#fork++
  }

  async blockNumber(): Promise<bigint> {
    return BigInt(this.#blocks.length - 1)
  }

  async events({ fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint }): Promise<LedgerEvent[]> {
    const found = this.#blocks.slice(Number(fromBlock), Number(toBlock) + 1).flatMap((block) => block.events)
    return this.duplicates ? [...found, ...found] : found
  }

  async blockHash(block: bigint): Promise<Hex | undefined> {
    return this.#blocks[Number(block)]?.hash
  }

  async balanceOf(token: Hex, holder: Hex, block: bigint | 'latest'): Promise<bigint | undefined> {
    if (this.pruned && block !== 'latest') return undefined
    return this.balances.get(`${token}/${holder}`) ?? 0n
  }
}
