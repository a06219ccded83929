import { fromHex, type Hex } from '../bytes.ts'
import { keccak256 } from '../keccak.ts'

/**
 * The witnesses that attest a round: `size` distinct positions below `count`, or all in order when there are no more than that (C-06).
 *
 * Member i starts at keccak256(seed ‖ uint32(i)) mod count and moves up, round the end, past those already drawn.
 * `seed` is the opening's committee seed, 32 bytes. The order is that of the bits in `signerBits`.
 */
export function drawCommittee(seed: Hex, count: number, size: number): number[] {
  if (count <= size) return Array.from({ length: count }, (_, position) => position)
  const seedBytes = fromHex(seed)
  const members: number[] = []
  for (let i = 0; i < size; i++) {
    const draw = keccak256(seedBytes, Uint8Array.of(i >>> 24, (i >>> 16) & 255, (i >>> 8) & 255, i & 255))
    let at = remainder(draw, count)
    while (members.includes(at)) at = (at + 1) % count
    members.push(at)
  }
  return members
}

/** A big-endian number modulo `count`, without leaving 53 bits. */
const remainder = (bytes: Uint8Array, count: number): number =>
  bytes.reduce((rest, byte) => (rest * 256 + byte) % count, 0)
