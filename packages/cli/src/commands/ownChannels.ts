import { channelConfig, type Hex, PotluckError } from '@potluck/protocol'
import type { Channel, Wallet } from '@potluck/sdk'
import type { Network } from './networkAt.ts'

/** The channels an account has opened, oldest first, from the chain's events. */
export async function ownChannels({ chain }: Pick<Network, 'chain'>, payer: Hex): Promise<Channel[]> {
  const events = await chain.events({
    fromBlock: BigInt(chain.deployment.block),
    toBlock: await chain.blockNumber(),
    contracts: ['channels'],
  })
  return events
    .filter(({ name, args }) => name === 'Opened' && String(args.payer).toLowerCase() === payer)
    .map(({ args }) => ({ id: String(args.channelId) as Hex, config: channelConfig.parse(args.config) }))
}

/** One of the wallet's channels, by the beginning of its id. Throws UNKNOWN_CHANNEL with the ids there are. */
export async function channelById(network: Network, wallet: Wallet, id: string): Promise<Channel> {
  const all = await ownChannels(network, wallet.address)
  const found = all.filter((one) => one.id.startsWith(id.toLowerCase()))
  const [channel] = found
  if (channel && found.length === 1) return channel
  const ids = all.map((one) => one.id.slice(0, 12)).join(', ') || 'none'
  throw new PotluckError(
    'UNKNOWN_CHANNEL',
    `${found.length === 0 ? 'no channel' : `${found.length} channels`} of ${wallet.address} with an id that begins with "${id.slice(0, 70)}": there are ${ids}`,
    { seen: id.slice(0, 70) },
  )
}
