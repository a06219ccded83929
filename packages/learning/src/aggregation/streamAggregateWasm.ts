/**
 * The two passes over updates in WebAssembly, four numbers an instruction: some times as fast as plain JavaScript, where
 * there is no kernel in C. The module is written out here, instruction by instruction; its memory holds two blocks and eight partials
 * each of two sums, and updates go through it block by block.
 */
import { joinPartials, plainUpdateKernels, type UpdateKernels } from './streamAggregateKernels.ts'

/** Numbers of a block: 32 KB. */
const BLOCK = 8192
const [BYTES, STATE] = [4 * BLOCK, 8 * BLOCK]

type Wasm = {
  readonly exports: {
    readonly memory: { readonly buffer: ArrayBuffer }
    sums(endByte: number): void
    add(endByte: number, factor: number): void
  }
}
type Api = { Module: new (bytes: Uint8Array) => object; Instance: new (module: object) => Wasm }

/** Unsigned LEB128. */
const leb = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))]
const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const body = [...leb(items.length), ...items.flat()]
  return [id, ...leb(body.length), ...body]
}
const name = (text: string): number[] => [text.length, ...[...text].map((letter) => letter.charCodeAt(0))]

const [I32, F32, V128] = [0x7f, 0x7d, 0x7b]
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const simd = (code: number): number[] => [0xfd, ...leb(code)]
const load = (from: readonly number[], offset: number): number[] => [...from, ...simd(0), 4, ...leb(offset)]
const store = (at: readonly number[], value: readonly number[], offset: number): number[] => [
  ...at,
  ...value,
  ...simd(11),
  ...[4, ...leb(offset)],
]
const zero = [0x41, 0]
const plus = (a: readonly number[], b: readonly number[]): number[] => [...a, ...b, ...simd(228)]
const times = (a: readonly number[], b: readonly number[]): number[] => [...a, ...b, ...simd(230)]
/** Repeats the body, then moves local `at` on by `step` bytes, until it is at local 0. */
const repeat = (body: readonly number[], at: number, step: number): number[] => [
  ...[0x03, 0x40, ...body],
  ...[...get(at), 0x41, step, 0x6a, 0x22, at],
  ...[...get(0), 0x47, 0x0d, 0, 0x0b],
]
const code = (locals: readonly (readonly [count: number, type: number])[], body: readonly number[]): number[] => {
  const whole = [locals.length, ...locals.flat(), ...body, 0x0b]
  return [...leb(whole.length), ...whole]
}

/** Locals: 0 end, 1 at, 2 and 3 partials of the squares, 4 and 5 of the products, 6 the four numbers in hand. */
const sums = code(
  [
    [1, I32],
    [5, V128],
  ],
  [
    ...[2, 3, 4, 5].flatMap((local, i) => [...load(zero, STATE + 16 * i), ...set(local)]),
    ...repeat(
      [0, 1].flatMap((half) => [
        ...[...load(get(1), 16 * half), ...set(6)],
        ...[...plus(get(2 + half), times(get(6), get(6))), ...set(2 + half)],
        ...[...plus(get(4 + half), times(get(6), load(get(1), BYTES + 16 * half))), ...set(4 + half)],
      ]),
      1,
      32,
    ),
    ...[2, 3, 4, 5].flatMap((local, i) => store(zero, get(local), STATE + 16 * i)),
  ],
)

/** Locals: 0 end, 1 the factor, 2 at. */
const add = code(
  [[1, I32]],
  repeat(store(get(2), plus(load(get(2), 0), times(load(get(2), BYTES), [...get(1), ...simd(19)])), 0), 2, 16),
)

const moduleBytes = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [
    [0x60, 1, I32, 0],
    [0x60, 2, I32, F32, 0],
  ]),
  ...section(3, [[0], [1]]),
  ...section(5, [[0, 2]]),
  ...section(7, [
    [...name('memory'), 2, 0],
    [...name('sums'), 0, 0],
    [...name('add'), 0, 1],
  ]),
  ...section(10, [sums, add]),
])

/** Passes in WebAssembly; the plain ones where the platform has no WebAssembly with SIMD. Same bits. */
export function wasmUpdateKernels(): UpdateKernels {
  const api = (globalThis as typeof globalThis & { readonly WebAssembly?: Api }).WebAssembly
  let wasm: Wasm
  try {
    if (!api) return plainUpdateKernels
    wasm = new api.Instance(new api.Module(moduleBytes))
  } catch {
    // A platform that refuses the module (no SIMD, or a policy against compiling) computes the same without.
    return plainUpdateKernels
  }
  const { exports } = wasm
  const [first, second] = [0, BYTES].map((at) => new Float32Array(exports.memory.buffer, at, BLOCK)) as [
    Float32Array,
    Float32Array,
  ]
  const state = new Float32Array(exports.memory.buffer, STATE, 16)
  return {
    together: 8,
    measure(updates, reference, squares, dots) {
      const partials = updates.map(() => new Float32Array(16))
      for (let from = 0; from < reference.length; from += BLOCK) {
        const count = Math.min(BLOCK, reference.length - from)
        const whole = count - (count % 8)
        second.set(reference.subarray(from, from + count))
        updates.forEach((update, i) => {
          const own = partials[i]!
          if (whole > 0) {
            first.set(update.subarray(from, from + whole))
            state.set(own)
            exports.sums(4 * whole)
            own.set(state)
          }
          for (let k = whole; k < count; k++) {
            const x = update[from + k]!
            own[k - whole] = own[k - whole]! + Math.fround(x * x)
            own[8 + k - whole] = own[8 + k - whole]! + Math.fround(x * second[k]!)
          }
        })
      }
      partials.forEach((own, i) => {
        squares[i] = joinPartials(own.subarray(0, 8))
        dots[i] = joinPartials(own.subarray(8))
      })
    },
    add(updates, factors, moved) {
      for (let from = 0; from < moved.length; from += BLOCK) {
        const count = Math.min(BLOCK, moved.length - from)
        first.set(moved.subarray(from, from + count))
        updates.forEach((update, i) => {
          second.set(update.subarray(from, from + count))
          // What lies behind the last number of a block is computed too, and left there.
          exports.add(16 * Math.ceil(count / 4), factors[i]!)
        })
        moved.set(first.subarray(0, count), from)
      }
    },
  }
}
