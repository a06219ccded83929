import type { FunctionWriter, Local } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

/** A panel [K, width] of which `count` elements a row are copied; `element` and `step` lead to the next and to the next k. */
export type PanelForm = {
  readonly count: number
  readonly width: number
  readonly K: number
  readonly element: number
  readonly step: number
}

/** Writes the copy of one panel from the address in `source` to that in `target`; what is not copied becomes 0. */
export function copyPanel(f: FunctionWriter, source: Local, target: Local, form: PanelForm): void {
  const { count, width, K, element, step } = form
  const [from, to, k] = [f.local('i32'), f.local('i32'), f.local('i32')]
  f.get(source).set(from).get(target).set(to)
  const isTransposed = element !== 1 && step === 1 && count === 8 && width === 8 && K % 4 === 0
  const rows = isTransposed ? 4 : 1
  f.loop(k, 0, K, rows, () => {
    if (isTransposed) transpose(f, from, to, element)
    else copyRow(f, from, to, form)
    f.advance(from, 4 * rows * step).advance(to, 4 * rows * width)
  })
}

function copyRow(f: FunctionWriter, from: Local, to: Local, { count, width, element }: PanelForm): void {
  if (count < width) {
    for (let i = 0; i < width; i += 4)
      f.get(to)
        .vector(0, 'f32')
        .accessSimd(simd.store, 4 * i)
  }
  const vectors = element === 1 ? count - (count % 4) : 0
  for (let i = 0; i < vectors; i += 4) {
    f.get(to)
      .get(from)
      .accessSimd(simd.load, 4 * i)
      .accessSimd(simd.store, 4 * i)
  }
  for (let i = vectors; i < count; i++) {
    f.get(to)
      .get(from)
      .access(op.f32Load, 4 * i * element)
      .access(op.f32Store, 4 * i)
  }
}

/** Eight columns `element` apart, of four k each that lie side by side, into four rows of eight. */
function transpose(f: FunctionWriter, from: Local, to: Local, element: number): void {
  const [a, b, c, d, ab, cd] = Array.from({ length: 6 }, () => f.local('v128')) as Six
  for (const half of [0, 4]) {
    for (const [n, vector] of [a, b, c, d].entries()) {
      f.get(from)
        .accessSimd(simd.load, 4 * (half + n) * element)
        .set(vector)
    }
    for (const pair of [0, 2]) {
      const lanes = [pair, pair + 4, pair + 1, pair + 5]
      f.shuffle(a, b, lanes).set(ab).shuffle(c, d, lanes).set(cd)
      for (const k of [0, 1]) {
        f.get(to).shuffle(ab, cd, [2 * k, 2 * k + 1, 2 * k + 4, 2 * k + 5])
        f.accessSimd(simd.store, 32 * (pair + k) + 4 * half)
      }
    }
  }
}

type Six = [Local, Local, Local, Local, Local, Local]
