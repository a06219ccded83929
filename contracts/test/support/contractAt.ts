import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  type Log,
  parseEventLogs,
  type TransactionReceipt,
} from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Evm } from './evm.ts'
import { Refused, revertDataIn } from './refuses.ts'

type Reads<A extends Abi> = ContractFunctionName<A, 'pure' | 'view'>
type Writes<A extends Abi> = ContractFunctionName<A, 'nonpayable' | 'payable'>

async function dryRun(evm: Evm, abi: Abi, call: { from: Address; to: Address; data: Hex }): Promise<Hex> {
  try {
    return (await evm.raw('eth_call', [call, 'latest'])) as Hex
  } catch (error) {
    const data = revertDataIn(error)
    throw data === undefined ? error : new Refused(abi, data)
  }
}

/** A typed handle on a deployed contract: `read`, `send` (a transaction), `attempt` (the same as a dry run). */
export function contractAt<const A extends Abi>(evm: Evm, abi: A, address: Address) {
  return {
    address,
    abi,
    read: <N extends Reads<A>>(
      functionName: N,
      args: ContractFunctionArgs<A, 'pure' | 'view', N>,
    ): Promise<ContractFunctionReturnType<A, 'pure' | 'view', N>> =>
      evm.client.readContract({ address, abi, functionName, args } as never) as Promise<
        ContractFunctionReturnType<A, 'pure' | 'view', N>
      >,
    send: <N extends Writes<A>>(
      from: PrivateKeyAccount,
      functionName: N,
      args: ContractFunctionArgs<A, 'nonpayable' | 'payable', N>,
    ): Promise<TransactionReceipt> =>
      evm.send(from, { to: address, data: encodeFunctionData({ abi, functionName, args } as never) }),
    attempt: async <N extends Writes<A>>(
      from: PrivateKeyAccount,
      functionName: N,
      args: ContractFunctionArgs<A, 'nonpayable' | 'payable', N>,
    ): Promise<ContractFunctionReturnType<A, 'nonpayable' | 'payable', N>> => {
      const data = encodeFunctionData({ abi, functionName, args } as never)
      const answer = await dryRun(evm, abi as Abi, { from: from.address, to: address, data })
      return decodeFunctionResult({ abi, functionName, data: answer } as never) as ContractFunctionReturnType<
        A,
        'nonpayable' | 'payable',
        N
      >
    },
    /** A view whose refusal is the point. */
    attemptView: async <N extends Reads<A>>(
      functionName: N,
      args: ContractFunctionArgs<A, 'pure' | 'view', N>,
    ): Promise<Hex> =>
      dryRun(evm, abi as Abi, {
        from: '0x0000000000000000000000000000000000000001',
        to: address,
        data: encodeFunctionData({ abi, functionName, args } as never),
      }),
    call: <N extends Writes<A>>(functionName: N, args: ContractFunctionArgs<A, 'nonpayable' | 'payable', N>) =>
      encodeFunctionData({ abi, functionName, args } as never),
    /** Events of this contract in a receipt, by name, in order. */
    events: (receipt: { logs: Log[] }, eventName: string) =>
      (
        parseEventLogs({ abi: abi as Abi, logs: receipt.logs }) as {
          eventName: string
          address: Address
          args: Record<string, unknown>
        }[]
      )
        .filter((log) => log.eventName === eventName && log.address.toLowerCase() === address.toLowerCase())
        .map((log) => log.args),
  }
}
