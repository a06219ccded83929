import { bytesToHex, type Hex, hexToBytes, keccak256 } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { World } from './world.ts'

export type Config = {
  payer: Hex
  signer: Hex
  operator: Hex
  token: Hex
  withdrawDelaySeconds: number
  salt: Hex
}
export type Allocation = { version: bigint; provider: Hex; providerShare: number; gateway: Hex; gatewayShare: number }

export const VOUCHER_TYPES = {
  Voucher: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'lane', type: 'uint32' },
    { name: 'from', type: 'uint128' },
    { name: 'cumulative', type: 'uint128' },
    { name: 'requestHash', type: 'bytes32' },
    { name: 'allocationHash', type: 'bytes32' },
  ],
} as const

/** The config of a channel between the world's caller and operator in dollars; change what a test is about. */
export function plainConfig({ caller, operator, dollar }: World, changes: Partial<Config> = {}): Config {
  return {
    payer: caller.address,
    signer: caller.address,
    operator: operator.address,
    token: dollar.address,
    withdrawDelaySeconds: 3600,
    salt: keccak256('0x0a'),
    ...changes,
  }
}

/** ERC-2098: r and s, with the recovery bit on top of s. */
export function compactSignature(signature: Hex): Hex {
  const bytes = hexToBytes(signature)
  const out = bytes.slice(0, 64)
  if (bytes[64] === 28) out[32] = (out[32] as number) | 0x80
  return bytesToHex(out)
}

/**
 * A signed voucher as an item of a claim.
 * @param domain overrides of the EIP-712 domain, for vouchers meant for elsewhere
 */
export async function voucher(
  { channels, evm }: World,
  signer: PrivateKeyAccount,
  config: Config,
  allocation: Allocation,
  { lane = 0, from = 0n, cumulative, requestHash = keccak256('0x0b') }: VoucherPart,
  domain: { chainId?: number; verifyingContract?: Hex } = {},
) {
  const channelId = await channels.read('channelIdOf', [config])
  const allocationHash = await channels.read('allocationHashOf', [allocation])
  const signature = compactSignature(
    await signer.signTypedData({
      domain: {
        name: 'Potluck Channels',
        version: '1',
        chainId: evm.client.chain.id,
        verifyingContract: channels.address,
        ...domain,
      },
      types: VOUCHER_TYPES,
      primaryType: 'Voucher',
      message: { channelId, lane, from, cumulative, requestHash, allocationHash },
    }),
  )
  return {
    payer: config.payer,
    signer: config.signer,
    withdrawDelaySeconds: config.withdrawDelaySeconds,
    lane,
    from,
    cumulative,
    salt: config.salt,
    requestHash,
    r: signature.slice(0, 66) as Hex,
    vs: `0x${signature.slice(66)}` as Hex,
  }
}

type VoucherPart = { lane?: number; from?: bigint; cumulative: bigint; requestHash?: Hex }
