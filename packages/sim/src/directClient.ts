import { type Chain, createChain, type Deployment } from '@potluck/chain'
import type { Anvil } from './anvil.ts'

/** Contract calls of the set-up, each mined at once. */
export function directClient(anvil: Anvil, deployment: Deployment, secret: Uint8Array): Chain {
  const wire = {
    request: ({ method, params }: { method: string; params?: unknown }) => anvil.request(method, params),
    wait: () => Promise.resolve(),
  }
  return createChain({ rpcUrl: anvil.rpcUrl, deployment, secret, wire })
}
