/** "expand 32-byte k", the constant of every ChaCha state, as little-endian words. */
export const chachaConstant = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

/**
 * A ChaCha key stream as 32-bit words: each call gives the 16 words of the next block, counter from 0, nonce 0.
 *
 * The caller uses a key for one purpose only: with the nonce always 0, two uses would be the same stream. The array is
 * overwritten by the next call.
 *
 * @param key 32 bytes
 * @param rounds 20 (RFC 8439) or 12
 *
 * Source: RFC 8439, section 2.3. Constant time: additions, rotations and XOR alone.
 */
export function chachaBlocks(key: Uint8Array, rounds: number): () => Uint32Array {
  const state = chachaState(key)
  const x = new Uint32Array(16)
  return () => {
    x.set(state)
    for (let round = 0; round < rounds; round += 2) {
      for (let i = 0; i < 4; i++) quarterRound(x, i, 4 + i, 8 + i, 12 + i)
      for (let i = 0; i < 4; i++) quarterRound(x, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3))
    }
    for (let i = 0; i < 16; i++) x[i] = x[i]! + state[i]!
    state[12] = state[12]! + 1
    return x
  }
}

/** The 16 words a stream starts from: constant, key, block counter 0, nonce 0. */
export function chachaState(key: Uint8Array): Uint32Array {
  const state = new Uint32Array(16)
  state.set(chachaConstant)
  const view = new DataView(key.buffer, key.byteOffset, 32)
  for (let i = 0; i < 8; i++) state[4 + i] = view.getUint32(4 * i, true)
  return state
}

/** The first `length` bytes of the stream. */
export function chachaBytes(key: Uint8Array, rounds: number, length: number): Uint8Array {
  const out = new Uint8Array(64 * Math.ceil(length / 64))
  const view = new DataView(out.buffer)
  const next = chachaBlocks(key, rounds)
  for (let at = 0; at < out.length; at += 64) next().forEach((word, i) => void view.setUint32(at + 4 * i, word, true))
  return out.subarray(0, length)
}

function quarterRound(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  x[a] = x[a]! + x[b]!
  x[d] = rotated(x[d]! ^ x[a]!, 16)
  x[c] = x[c]! + x[d]!
  x[b] = rotated(x[b]! ^ x[c]!, 12)
  x[a] = x[a]! + x[b]!
  x[d] = rotated(x[d]! ^ x[a]!, 8)
  x[c] = x[c]! + x[d]!
  x[b] = rotated(x[b]! ^ x[c]!, 7)
}

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by))
