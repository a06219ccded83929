import type { Hex } from '@potluck/protocol'

export type LedgerEvent = {
  contract: string
  name: string
  args: Readonly<Record<string, unknown>>
  block: bigint
  txHash: Hex
  logIndex: number
  /** Seconds. */
  timestamp?: bigint | undefined
}

/** What the ledger needs to know of a network. */
export type LedgerDeployment = {
  chainId: number
  /** First block that can hold events. */
  block: number
  contracts: Readonly<Record<'salt' | 'registry' | 'assets' | 'jobs' | 'judge' | 'referee' | 'channels', Hex>>
  tokens: readonly { symbol: string; address: Hex; decimals: number }[]
  settings: { confirmations: number; pollMs: number }
}

/** The narrow view of a chain that is indexed; a script can stand in for it. */
export type LedgerChain = {
  deployment: LedgerDeployment
  blockNumber(): Promise<bigint>
  /** All events of our contracts in the blocks, both ends included. */
  events(range: { fromBlock: bigint; toBlock: bigint }): Promise<readonly LedgerEvent[]>
  /** Undefined when the chain has no such block. */
  blockHash(block: bigint): Promise<Hex | undefined>
  /** Units of `token` that `holder` has after `block`; undefined when the node no longer keeps that state. */
  balanceOf(token: Hex, holder: Hex, block: bigint | 'latest'): Promise<bigint | undefined>
}
