import type { Chain } from '@potluck/chain'
import type { Hex } from '@potluck/protocol'
import { refereeChain } from './connectReferee.ts'
import type { RefereeChain } from './RefereeChain.ts'

/** The referee of a deployment through its chain client, for one node. */
export function refereeOfChain(chain: Chain, account: Hex): RefereeChain {
  const { referee } = chain.read
  return refereeChain(
    {
      blockNumber: () => chain.blockNumber(),
      confirmedBlock: () => chain.confirmedBlock(),
      now: () => chain.now(),
      events: (fromBlock, toBlock) => chain.events({ fromBlock, toBlock, contracts: ['referee'] }),
      gameOf: (game) => referee.gameOf([game]),
      challengeOf: (id) => referee.challengeOf([id]),
      clockSeconds: () => referee.clockSeconds(),
      verdict: (jobId, subject) => referee.verdict([jobId, subject]),
      send: (name, args) => chain.sendCall('referee', name, args),
    },
    account,
    BigInt(chain.deployment.block),
  )
}
