import { z } from 'zod'
import { type Hex, toHex } from '../bytes.ts'
import * as f from '../fields.ts'
import { abiEncode, keccak256 } from '../keccak.ts'

/** What a channel is made of; its id is the hash of this, the chain and the contract (C-61). */
export const channelConfig = z
  .object({
    payer: f.address,
    /** Signs the vouchers of lane 0: the payer itself or a session key. */
    signer: f.address,
    /** The one account that may claim. */
    operator: f.address,
    token: f.address,
    withdrawDelaySeconds: z.number().int().min(0).max(4_294_967_295),
    salt: f.hash,
  })
  .strict()
export type ChannelConfig = z.infer<typeof channelConfig>

/** The id that `Channels` at address `channels` gives to a channel of this config. */
export function channelIdOf(chainId: number, channels: Hex, config: ChannelConfig): Hex {
  const { payer, signer, operator, token, withdrawDelaySeconds, salt } = config
  return toHex(keccak256(abiEncode(chainId, channels, payer, signer, operator, token, withdrawDelaySeconds, salt)))
}
