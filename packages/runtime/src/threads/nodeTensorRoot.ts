import { hash } from 'node:crypto'
import { ABSENT, LEAF_BYTES } from '@potluck/protocol'

const HASH_BYTES = 32

/**
 * The tensor root (D-01) of the bytes of a tensor by Node's SHA-256: the value of `tensorRoot`, some six times as fast.
 * Rows of the tree lie end to end in one buffer. Hashes come as hexadecimal text, which Node hands out faster than bytes.
 */
export function nodeTensorRoot(bytes: Uint8Array): Uint8Array {
  const leaves = Math.max(1, Math.ceil(bytes.length / LEAF_BYTES))
  const row = Buffer.alloc(leaves * HASH_BYTES)
  const leaf = Buffer.alloc(1 + LEAF_BYTES)
  for (let i = 0; i < leaves; i++) {
    const part = bytes.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES)
    leaf.set(part, 1)
    row.write(
      hash('sha256', part.length < LEAF_BYTES ? leaf.subarray(0, 1 + part.length) : leaf),
      i * HASH_BYTES,
      'hex',
    )
  }
  const pair = Buffer.alloc(1 + 2 * HASH_BYTES)
  pair[0] = 1
  for (let width = leaves; width > 1; width = Math.ceil(width / 2)) {
    for (let i = 0; i < width; i += 2) {
      row.copy(pair, 1, i * HASH_BYTES, (i + 2) * HASH_BYTES)
      if (i + 1 === width) pair.set(ABSENT, 1 + HASH_BYTES)
      row.write(hash('sha256', pair), (i / 2) * HASH_BYTES, 'hex')
    }
  }
  return Uint8Array.from(row.subarray(0, HASH_BYTES))
}
