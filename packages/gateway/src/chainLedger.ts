import { type Chain, isEvent } from '@potluck/chain'
import { type ChannelConfig, codeOf, type Hex, PotluckError } from '@potluck/protocol'
import { type ChannelLedger, type ClaimGroup, type ClaimResult, type Refusal, refusals } from './ChannelLedger.ts'

/** The real ledger: the Channels contract of a deployment. The chain client needs the operator's secret to claim. */
export function chainLedger(chain: Chain): ChannelLedger {
  const { chainId, block, contracts } = chain.deployment
  const configs = new Map<Hex, ChannelConfig>()
  let nextBlock = BigInt(block)

  // Openings seen once stay known; a call only reads the blocks that came since.
  async function readOpenings(): Promise<void> {
    const toBlock = await chain.confirmedBlock()
    if (toBlock < nextBlock) return
    for (const event of await chain.events({ fromBlock: nextBlock, toBlock, contracts: ['channels'] })) {
      if (isEvent(event, 'channels', 'Opened')) configs.set(event.args.channelId, { ...event.args.config })
    }
    nextBlock = toBlock + 1n
  }

  const contractGroup = ({ token, allocation, items }: ClaimGroup) => ({
    token,
    allocation: { ...allocation, version: BigInt(allocation.version) },
    items,
  })

  return {
    chainId,
    channels: contracts.channels,
    channelOf: async (channelId) => ({ ...(await chain.read.channels.channelOf([channelId])) }),
    laneOf: async (channelId, lane) => ({ ...(await chain.read.channels.laneOf([channelId, lane])) }),
    async configOf(channelId) {
      if (!configs.has(channelId)) await readOpenings()
      return configs.get(channelId)
    },
    async check(operator, group) {
      const found = await chain.read.channels.check([operator, contractGroup(group)])
      return found.map((why) => refusalOf(why))
    },
    async claim(groups) {
      try {
        const receipt = await chain.send('channels', 'claim', [groups.map(contractGroup)])
        return { ok: true, txHash: receipt.hash }
      } catch (error) {
        const refused = refusedItem(error)
        if (refused === undefined) throw error
        return refused
      }
    },
  }
}

function refusalOf(why: number): Refusal {
  const name = refusals[why]
  if (name !== undefined) return name
  throw new PotluckError('UNKNOWN_REFUSAL', `the contract refuses with reason ${why}, which this version does not know`)
}

/** The item that the contract's ItemRefused names, or undefined for any other failure. */
function refusedItem(error: unknown): Extract<ClaimResult, { ok: false }> | undefined {
  if (codeOf(error) !== 'REVERTED' || !(error instanceof Error) || !('facts' in error)) return undefined
  const facts = error.facts as PotluckError['facts']
  if (facts.error !== 'ItemRefused') return undefined
  const number = (name: string): number => Number(new RegExp(`\\b${name}: (\\d+)`).exec(String(facts.args))?.[1])
  return { ok: false, group: number('group'), item: number('item'), why: refusalOf(number('why')) }
}
