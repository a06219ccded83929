import type { Hex } from '@potluck/protocol'
import type { Abi, Client, ContractFunctionArgs, ContractFunctionName, ContractFunctionReturnType } from 'viem'
import { readContract } from 'viem/actions'
import { explainError } from './explainError.ts'
import { lowerCaseAddresses } from './lowerCaseAddresses.ts'

type View = 'view' | 'pure'

/** The views of a contract as functions of their argument list; those without arguments are called with none. */
export type ContractReads<A extends Abi> = {
  readonly [F in ContractFunctionName<A, View>]: ContractFunctionArgs<A, View, F> extends readonly []
    ? () => Promise<ContractFunctionReturnType<A, View, F>>
    : (args: ContractFunctionArgs<A, View, F>) => Promise<ContractFunctionReturnType<A, View, F>>
}

/** Reads at the newest block. Each throws RPC_UNREACHABLE, or REVERTED when the view itself refuses. */
export function contractReads<const A extends Abi>(
  client: Client,
  contract: string,
  abi: A,
  address: Hex,
): ContractReads<A> {
  const reads: Record<string, (args?: readonly unknown[]) => Promise<unknown>> = {}
  for (const item of abi as Abi) {
    if (item.type !== 'function' || (item.stateMutability !== 'view' && item.stateMutability !== 'pure')) continue
    reads[item.name] = async (args = []) => {
      try {
        return lowerCaseAddresses(
          await readContract(client, { abi: abi as Abi, address, functionName: item.name, args }),
        )
      } catch (error) {
        throw explainError(error, abi, { contract, function: item.name })
      }
    }
  }
  return reads as ContractReads<A>
}
