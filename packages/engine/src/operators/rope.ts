import { exactCos } from '../math/cos.ts'
import { exactExp64 } from '../math/exp64.ts'
import { exactLog64 } from '../math/log64.ts'
import { exactSin } from '../math/sin.ts'
import { sizeOf, type Tensor } from '../program/Program.ts'
import { column, columnIndex, full, swapped } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import type { Tape } from './Tape.ts'

/**
 * Rotary positions: turns each pair of adjacent channels (2i, 2i + 1) by the angle of its row in the window.
 *
 *   y[r, 2i]     = x[r, 2i]·cos[t, 2i]         + −(x[r, 2i + 1]·sin[t, 2i])          t = r mod T
 *   y[r, 2i + 1] = x[r, 2i + 1]·cos[t, 2i + 1] + x[r, 2i]·sin[t, 2i + 1]
 *
 * The gradient turns back: the two signs change places.
 *
 * @param x   [B·T, C], C even
 * @param cos [T, C], sin [T, C]: of one angle at both channels of a pair, as `ropeTables` gives; no gradient
 *
 * Source: arXiv:2104.09864, in the pairing of llama.cpp's NORM type.
 */
export function rope(tape: Tape, label: string, x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const columns = sizeOf(cos)
  const turn = (name: string, scalar: ScalarProgram, of: Tensor): Tensor =>
    tape.builder.map(
      name,
      scalar,
      sizeOf(x) / columns,
      columns,
      [full(of), swapped(of), column(cos), column(sin), columnIndex],
      x.shape,
    )
  return tape.record(turn(label, forward, x), [x], (dy) => [turn(`${label}.gradient`, backward, dy)])
}

/** `negated`: the parity of the column whose second product is subtracted. */
function rotation(name: string, negated: 0 | 1): ScalarProgram {
  const s = new ScalarBuilder(name)
  const [x, other, cos, sin] = [s.input(), s.input(), s.input(), s.input()]
  const c = s.integerInput()
  const parity = s.integerSubtract(c, s.shiftLeft(s.shiftRight(c, 1), 1))
  const part = s.multiply(other, sin)
  const signed = s.select(s.integerEqual(parity, s.integer(negated)), s.negate(part), part)
  return s.finish(s.add(s.multiply(x, cos), signed))
}

const forward = rotation('rope', 0)
const backward = rotation('rope.gradient', 1)

/**
 * The tables of `rope` for heads of `headWidth` channels side by side in rows of `width`: the angle of pair i of a head
 * at position t is t·base^(−2i/headWidth), rounded to f32, then its exact cosine and sine.
 *
 * @param base 10000 in most models
 */
export function ropeTables(
  positions: number,
  width: number,
  headWidth: number,
  base: number,
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const logBase = exactLog64(base)
  const cos = new Float32Array(positions * width)
  const sin = new Float32Array(positions * width)
  for (let c = 0; c < width; c++) {
    const pair = Math.floor((c % headWidth) / 2)
    const frequency = exactExp64((-2 * pair * logBase) / headWidth)
    for (let t = 0; t < positions; t++) {
      const angle = Math.fround(t * frequency)
      cos[t * width + c] = exactCos(angle)
      sin[t * width + c] = exactSin(angle)
    }
  }
  return { cos, sin }
}
