import { webAssembly } from '@potluck/engine'
import { chachaBlocks, chachaState } from './chacha.ts'
import { kernelBytes, maskKernel } from './maskKernel.ts'
import { type RingWords, ringBitsOf } from './ring.ts'

/** A key stream to add to a vector (sign 1) or to take from it (−1). The key is 32 bytes and good for this one stream. */
export type Mask = { readonly key: Uint8Array; readonly sign: 1 | -1 }

/** Adds the streams of all masks to `words`, in place, in their ring. */
export type AddMasks = (words: RingWords, masks: readonly Mask[], rounds: MaskRounds) => void

/** Rounds of ChaCha. */
export type MaskRounds = 8 | 12 | 20

/**
 * Published attacks stop short of 8 rounds, and at 7 still cost more than the 2^126 of X25519, which hands out the keys. Aumasson
 * argues for 8 ("Too Much Crypto", eprint 2019/1492). A plan that wants more margin takes 12, for one and a half times the CPU, or 20.
 */
export const defaultMaskRounds: MaskRounds = 8

/**
 * The plain form: word i of the vector gets word i of the stream; ChaCha's 32-bit words are halves of a 64-bit word, low first,
 * and two words of 16 bits, low first (L-41). Some 20 times slower than what `loadAddMasks` gives.
 */
export const addMasksPlainly: AddMasks = (words, masks, rounds) => {
  for (const { key, sign } of masks) {
    const next = chachaBlocks(key, rounds)
    const per = 64 / words.BYTES_PER_ELEMENT
    for (let at = 0; at < words.length; at += per) {
      const block = next()
      for (let i = 0; i < per && at + i < words.length; i++) {
        if (words instanceof BigUint64Array) {
          const word = BigInt(block[2 * i]!) | (BigInt(block[2 * i + 1]!) << 32n)
          words[at + i] = words[at + i]! + BigInt(sign) * word
        } else {
          const word = words instanceof Uint32Array ? block[i]! : block[i >> 1]! >>> (16 * (i & 1))
          words[at + i] = words[at + i]! + sign * word
        }
      }
    }
  }
}

/** 32 KiB: a piece of the vector that stays in the nearest cache while every mask is added to it. */
const pieceBytes = 32_768
const pageBytes = 65_536
const stateBytes = 64
/** As many states as fill the first page of memory; the piece lies in the second. */
const statesAtOnce = pageBytes / stateBytes

/**
 * The fast form, by WebAssembly with SIMD: the same words as `addMasksPlainly`.
 *
 * Cost: 1.1 ms of CPU at 8 rounds, 1.6 at 12 and 2.7 at 20 for each mask and 4 MB of words (bench `secure-sum`); no allocation.
 */
export async function loadAddMasks(): Promise<AddMasks> {
  // On the rare machine that keeps the high byte first, memory of WebAssembly and typed arrays differ.
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) return addMasksPlainly
  const memory = new webAssembly.Memory({ initial: 2, maximum: 2 })
  const module = await webAssembly.compile(maskKernel())
  const { exports } = await webAssembly.instantiate(module, { env: { memory } })
  const states = new Uint32Array(memory.buffer, 0, pageBytes / 4)
  const piece = new Uint8Array(memory.buffer, pageBytes, pieceBytes)

  return (words, masks, rounds) => {
    const add = exports[{ 16: '0', 32: '1', 64: '2' }[ringBitsOf(words)]]!
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    for (let first = 0; first < masks.length; first += statesAtOnce) {
      const some = masks.slice(first, first + statesAtOnce)
      some.forEach(({ key }, i) => void states.set(chachaState(key), (i * stateBytes) / 4))
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const part = bytes.subarray(at, at + pieceBytes)
        piece.set(part)
        const end = pageBytes + Math.ceil(part.length / kernelBytes) * kernelBytes
        some.forEach(({ sign }, i) => void add(pageBytes, end, i * stateBytes, sign === 1 ? 0 : -1, rounds / 2))
        part.set(piece.subarray(0, part.length))
      }
      // Keys and words are secret: nothing of them stays behind.
      states.fill(0)
      piece.fill(0)
    }
  }
}
