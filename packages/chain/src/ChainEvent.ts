import type { Hex } from '@potluck/protocol'
import type { ContractEventArgsFromTopics } from 'viem'
import { type Abi, type AbiEvent, type ContractEventName, decodeEventLog, type RpcLog, toEventSelector } from 'viem'
import { type Abis, abis, type ContractName } from './abis.ts'
import type { Deployment } from './Deployment.ts'
import { lowerCaseAddresses } from './lowerCaseAddresses.ts'

/** One event of one of the deployment's contracts. Addresses are in lower case. */
export type ChainEvent = {
  contract: ContractName
  name: string
  args: Record<string, unknown>
  block: bigint
  txHash: Hex
  logIndex: number
  /** Seconds; there when the endpoint says so or `events` was asked. */
  timestamp?: bigint
}

export type EventName<C extends ContractName> = ContractEventName<Abis[C]>

/** An event whose contract and name are known, with its arguments typed. */
export type EventOf<C extends ContractName, N extends EventName<C>> = Omit<ChainEvent, 'args'> & {
  contract: C
  name: N
  args: ContractEventArgsFromTopics<Abis[C], N>
}

/** Narrows an event to its contract and name: `if (isEvent(event, 'jobs', 'RoundFinal')) event.args.proposal`. */
export function isEvent<C extends ContractName, N extends EventName<C>>(
  event: ChainEvent,
  contract: C,
  name: N,
): event is ChainEvent & EventOf<C, N> {
  return event.contract === contract && event.name === name
}

/** Decodes logs, in their order. Those of other addresses, and events no ABI knows, are left out. */
export function createLogDecoder(deployment: Deployment): (logs: readonly RpcLog[]) => ChainEvent[] {
  const byAddress = new Map<string, { contract: ContractName; bySelector: Map<string, AbiEvent> }>()
  for (const contract of Object.keys(abis) as ContractName[]) {
    byAddress.set(deployment.contracts[contract], { contract, bySelector: selectorsOf(abis[contract]) })
  }
  return (logs) => logs.flatMap((log) => decodeLog(log, byAddress.get(log.address.toLowerCase())) ?? [])
}

function selectorsOf(abi: Abi): Map<string, AbiEvent> {
  const events = abi.filter((item) => item.type === 'event')
  return new Map(events.map((event) => [toEventSelector(event), event]))
}

function decodeLog(
  log: RpcLog,
  source: { contract: ContractName; bySelector: Map<string, AbiEvent> } | undefined,
): ChainEvent | undefined {
  const event = source?.bySelector.get(log.topics[0] ?? '')
  if (!source || !event || log.blockNumber === null || log.transactionHash === null || log.logIndex === null) {
    return undefined
  }
  const { args } = decodeEventLog({ abi: [event], data: log.data, topics: log.topics })
  return {
    contract: source.contract,
    name: event.name,
    args: lowerCaseAddresses((args ?? {}) as unknown as Record<string, unknown>),
    block: BigInt(log.blockNumber),
    txHash: log.transactionHash,
    logIndex: Number(log.logIndex),
    ...timestampOf(log),
  }
}

// Newer endpoints add the time to each log; the RPC standard does not have it yet.
function timestampOf(log: RpcLog): { timestamp?: bigint } {
  const seconds = 'blockTimestamp' in log ? log.blockTimestamp : undefined
  return typeof seconds === 'string' ? { timestamp: BigInt(seconds) } : {}
}
