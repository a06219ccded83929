import { type Hex, PotluckError } from '@potluck/protocol'
import { z } from 'zod'
import type { LedgerChain } from './LedgerChain.ts'

const answer = z.object({ result: z.unknown(), error: z.object({ message: z.string() }).optional() })
const BALANCE_OF = '0x70a08231'

/**
 * Adds to a typed chain client the two plain questions it has no words for: a block's hash, and a balance at a block.
 * Throws RPC_UNREACHABLE (retry) when the endpoint does not answer.
 */
export function connectLedgerChain(
  chain: Pick<LedgerChain, 'deployment' | 'blockNumber' | 'events'>,
  rpcUrl: string,
): LedgerChain {
  const ask = async (method: string, params: unknown[]): Promise<z.infer<typeof answer>> => {
    try {
      const response = await fetch(rpcUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
        signal: AbortSignal.timeout(10_000),
      })
      return answer.parse(await response.json())
    } catch (cause) {
      throw new PotluckError(
        'RPC_UNREACHABLE',
        `no answer to ${method}: ${(cause as Error).message}`,
        { method },
        { cause, remedy: 'retry' },
      )
    }
  }
  return {
    deployment: chain.deployment,
    blockNumber: () => chain.blockNumber(),
    events: (range) => chain.events(range),
    async blockHash(block) {
      const { result } = await ask('eth_getBlockByNumber', [`0x${block.toString(16)}`, false])
      const found = z.object({ hash: z.string() }).nullish().parse(result)
      return found ? (found.hash as Hex) : undefined
    },
    async balanceOf(token, holder, block) {
      const data = `${BALANCE_OF}${holder.slice(2).padStart(64, '0')}`
      const tag = block === 'latest' ? block : `0x${block.toString(16)}`
      // An endpoint may stumble when a block arrives while it answers about the newest one.
      for (let i = 0; i < (block === 'latest' ? 4 : 1); i++) {
        const { result, error } = await ask('eth_call', [{ to: token, data }, tag])
        if (!error && typeof result === 'string' && result !== '0x') return BigInt(result)
      }
      return undefined
    },
  }
}
