import type { Chain } from '@potluck/chain'
import { type RefereeChain, refereeOfChain } from '@potluck/referee'
import type { NodeContext } from '../JobView.ts'

const known = new WeakMap<Chain, RefereeChain>()

/** The referee as this node uses it; one for all roles, so that its events are read once. */
export function refereeOf({ ports: { chain }, identity }: Pick<NodeContext, 'ports' | 'identity'>): RefereeChain {
  const referee = known.get(chain) ?? refereeOfChain(chain, identity.node)
  known.set(chain, referee)
  return referee
}
