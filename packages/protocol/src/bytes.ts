import { PotluckError } from './PotluckError.ts'

export type Hex = `0x${string}`

const digits = '0123456789abcdef'

/** Lower-case hex with 0x. */
export function toHex(bytes: Uint8Array): Hex {
  let out = '0x'
  for (const byte of bytes) out += `${digits[byte >> 4]}${digits[byte & 15]}`
  return out as Hex
}

/** The bytes of a 0x-prefixed hex string of even length. Throws BAD_HEX otherwise. */
export function fromHex(hex: string): Uint8Array {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(hex)) {
    throw new PotluckError('BAD_HEX', `expected 0x and an even number of hex digits, got ${hex.slice(0, 80)}`)
  }
  const out = new Uint8Array((hex.length - 2) / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16)
  return out
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Lexicographic order of byte strings, shorter first on a tie. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Unsigned 64-bit big-endian. Throws BAD_INTEGER outside 0 .. 2^64 - 1. */
export function uint64(value: number | bigint): Uint8Array {
  const big = BigInt(value)
  if (big < 0n || big >= 1n << 64n) throw new PotluckError('BAD_INTEGER', `expected 0 to 2^64 - 1, got ${value}`)
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, big)
  return out
}
