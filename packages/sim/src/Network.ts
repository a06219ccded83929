/** Twenty nodes, their jobs and a funded payer, set up once by the real roles; every seed starts from here. */
import type { Deployment } from '@potluck/chain'
import type { Engine } from '@potluck/engine'
import type { Anvil } from './anvil.ts'
import type { NodePlan } from './SimNode.ts'

export type Account = { secret: Uint8Array; address: `0x${string}` }

/** A network between two seeds: chain state in `anvil`, disks and blocks here. */
export type Network = {
  anvil: Anvil
  engine: Engine
  deployment: Deployment
  plans: NodePlan[]
  disks: ReadonlyMap<string, string>[]
  blocks: { node: number; codec: number; bytes: Uint8Array }[]
  builder: Account
  payer: Account
  operator: Account
  languageJob: number
  privateJob: number
  /** Dataset version that calls are paid for. */
  paidVersion: number
  channelSalt: `0x${string}`
  /** Time of the last block, in seconds. */
  seconds: number
  saltSupply: bigint
  snapshot: string
}
