import { fromHex, type Hex, toHex } from '../bytes.ts'
import { PotluckError } from '../PotluckError.ts'

/** A 65-byte signature as the two words of ERC-2098: r, and s with the parity of v in its top bit. Throws BAD_SIGNATURE. */
export function compactSignature(signature: Hex): { r: Hex; vs: Hex } {
  const bytes = fromHex(signature)
  const v = bytes[64]
  if (bytes.length !== 65 || (v !== 27 && v !== 28)) {
    throw new PotluckError('BAD_SIGNATURE', `expected 65 bytes with v 27 or 28, got ${bytes.length} bytes and v ${v}`)
  }
  const s = bytes.slice(32, 64)
  // The top bit is free: s is in the lower half of the order.
  if (v === 28) s[0] = (s[0] as number) | 0x80
  return { r: toHex(bytes.subarray(0, 32)), vs: toHex(s) }
}
