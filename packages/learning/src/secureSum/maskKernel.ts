/**
 * The inner loop of masking as WebAssembly with SIMD: makes four ChaCha blocks at a time, one in each lane, and adds them to the
 * words in place, so that a key stream never goes through memory. It gives the very words of `chachaBlocks`.
 */
import { encodeModule, FunctionWriter, wasmOp as op, wasmSimd as simd } from '@potluck/engine'
import type { RingBits } from './ring.ts'

/** Instructions the engine has no use for. Source: WebAssembly core specification 2.0. */
const xor = 0x51
const shiftRightUnsigned = 0xad
const addOf: Readonly<Record<RingBits, number>> = { 16: 0x8e, 32: 0xae, 64: 0xce }

/** Turning a word by 16 is one instruction on most machines when it is written as moving bytes. */
const halvesSwapped = [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13]

/** Four blocks of 64 bytes: what one turn of the loop covers. */
export const kernelBytes = 256

/** Exports "0", "1", "2" for words of 16, 32 and 64 bits; each takes (words, end, state, negate, double rounds). */
export function maskKernel(): Uint8Array<ArrayBuffer> {
  return encodeModule([addStream(addOf[16]), addStream(addOf[32]), addStream(addOf[64])])
}

/**
 * words[…end] += stream, or −= when `negate` is −1: ~(~w + s) = w − s in every ring. `state`: 16 words; its block counter is
 * moved on, so that a next call continues the stream. `end − words`: a positive multiple of 256.
 */
function addStream(add: number): FunctionWriter {
  const f = new FunctionWriter(5)
  const [words, end, state, negate, doubleRounds] = [0, 1, 2, 3, 4]
  const x = Array.from({ length: 16 }, () => f.local('v128'))
  const [flip, counter] = [f.local('v128'), f.local('v128')]
  const turn = f.local('i32')
  const splat = (word: number) => f.get(state).accessSimd(simd.load32Splat, 4 * word)
  const below = (a: number, b: number) => f.get(a).get(b).emit(op.i32LessUnsigned, op.branchIf, 0, op.end)

  f.get(negate).simd(simd.i32Splat).set(flip)
  splat(12).lanes0123().simd(simd.i32Add).set(counter)
  f.emit(op.loop, 0x40)
  x.forEach((local, word) => void (word === 12 ? f.get(counter) : splat(word)).set(local))
  f.integer(0).set(turn).emit(op.loop, 0x40)
  quarterRounds(f, x, 0)
  quarterRounds(f, x, 1)
  f.advance(turn, 1)
  below(turn, doubleRounds)
  x.forEach((local, word) => {
    f.get(local)
    ;(word === 12 ? f.get(counter) : splat(word)).simd(simd.i32Add).set(local)
  })
  for (let part = 0; part < 4; part++) addQuarter(f, x.slice(4 * part, 4 * part + 4), { words, flip, add, part })
  f.get(counter).vector(4, 'i32').simd(simd.i32Add).set(counter)
  f.advance(words, kernelBytes)
  below(words, end)
  return f.get(state).get(counter).storeLane0(48)
}

/** A column round (`shift` 0) or a diagonal round (1), the four quarter rounds step by step beside each other. */
function quarterRounds(f: FunctionWriter, x: readonly number[], shift: number): void {
  const rows = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((i) => x[4 * row + ((i + row * shift) & 3)]!))
  const steps = [
    [0, 1, 3, 16],
    [2, 3, 1, 12],
    [0, 1, 3, 8],
    [2, 3, 1, 7],
  ] as const
  for (const [a, b, c, by] of steps) {
    for (let i = 0; i < 4; i++) {
      const [to, from, turned] = [rows[a]![i]!, rows[b]![i]!, rows[c]![i]!]
      f.get(to).get(from).simd(simd.i32Add).emit(op.localTee, to)
      f.get(turned).simd(xor)
      if (by === 16) {
        f.set(turned)
          .get(turned)
          .get(turned)
          .simd(simd.shuffle)
          .emit(...halvesSwapped)
          .set(turned)
        continue
      }
      f.emit(op.localTee, turned).integer(by).simd(simd.i32ShiftLeft)
      f.get(turned)
        .integer(32 - by)
        .simd(shiftRightUnsigned)
        .simd(simd.or)
        .set(turned)
    }
  }
}

/** Turns four words of four blocks round, so that each block's lie side by side, and adds them at their places. */
function addQuarter(
  f: FunctionWriter,
  [x0, x1, x2, x3]: readonly number[],
  { words, flip, add, part }: { words: number; flip: number; add: number; part: number },
): void {
  const [low, high] = [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ] as const
  const pairs = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')] as const
  f.shuffle(x0!, x1!, low).set(pairs[0]).shuffle(x0!, x1!, high).set(pairs[1])
  f.shuffle(x2!, x3!, low).set(pairs[2]).shuffle(x2!, x3!, high).set(pairs[3])
  for (let block = 0; block < 4; block++) {
    const offset = 64 * block + 16 * part
    const [left, right] = block < 2 ? [pairs[0], pairs[2]] : [pairs[1], pairs[3]]
    f.get(words).get(words).accessSimd(simd.load, offset).get(flip).simd(xor)
    f.shuffle(left, right, block % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7])
    f.simd(add).get(flip).simd(xor).accessSimd(simd.store, offset)
  }
}
