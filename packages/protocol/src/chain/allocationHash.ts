import { z } from 'zod'
import { type Hex, toHex } from '../bytes.ts'
import * as f from '../fields.ts'
import { abiEncode, keccak256 } from '../keccak.ts'

const ppm = z.number().int().min(0).max(1_000_000)

/** Where a payment goes, in ppm; what is left goes to the asset version, or with `version` 0 to the provider. */
export const allocationSchema = z
  .object({
    version: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
    provider: f.address,
    providerShare: ppm,
    gateway: f.address,
    gatewayShare: ppm,
  })
  .strict()
export type Allocation = z.infer<typeof allocationSchema>

/** What a voucher commits to in place of the whole allocation. */
export function allocationHash({ version, provider, providerShare, gateway, gatewayShare }: Allocation): Hex {
  return toHex(keccak256(abiEncode(version, provider, providerShare, gateway, gatewayShare)))
}
