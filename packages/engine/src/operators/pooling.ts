import { PotluckError } from '@potluck/protocol'
import { sizeOf, type Tensor, type WindowForm } from '../program/Program.ts'
import { columnIndex, full, row } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { identity, type One, scalar } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * The largest element of each window of x[N, H, W, C] → [N, OH, OW, C].
 *
 * Gradient: the whole of dy goes to the first element, by row and then column of the window, that equals the maximum;
 * elements in several windows sum what they get (E-24).
 *
 * @param form padding 0: a padded place would take part as +0 and beat negative elements
 * @throws PotluckError SHAPE when padding is asked for
 */
export function maxPool(tape: Tape, label: string, x: Tensor, form: WindowForm): Tensor {
  if (form.padding !== 0) {
    throw new PotluckError('SHAPE', `maxPool ${label}: padding must be 0, got ${form.padding}; choose another window`)
  }
  const { builder } = tape
  const windows = builder.window(`${label}.window`, form, x)
  const [J, R] = [form.kernelHeight * form.kernelWidth, sizeOf(windows) / (form.kernelHeight * form.kernelWidth)]
  const y = builder.reduce('rowMaximum', label, identity, R, J, [full(windows)], windows.shape.slice(0, 4))
  return tape.record(y, [x], (dy) => {
    const again = builder.window(`${label}.window.again`, form, x)
    const first = builder.reduce('rowMaximum', `${label}.first`, placeOfMaximum, R, J, [
      full(again),
      row(y),
      columnIndex,
    ])
    const operands = [row(first), row(dy), columnIndex]
    const spread = builder.map(`${label}.gradientWindow`, onlyFirst, R, J, operands, windows.shape)
    return [builder.windowSum(`${label}.gradient`, form, spread)]
  })
}

/**
 * The mean of each window of x[N, H, W, C] → [N, OH, OW, C]: its sum divided by kh·kw. Places outside the image count
 * as +0 and are counted: every window divides by the same number.
 *
 * Order: eight strided partials over the window (E-11), then one division. Gradient: dy/(kh·kw) to each place.
 */
export function averagePool(tape: Tape, label: string, x: Tensor, form: WindowForm): Tensor {
  const { builder } = tape
  const windows = builder.window(`${label}.window`, form, x)
  const J = form.kernelHeight * form.kernelWidth
  const R = sizeOf(windows) / J
  const share = scalar<One>('divideByCount', 1, (s, [value]) => s.divide(value, s.constant(J)))
  const sum = builder.reduce('rowSum', `${label}.sum`, identity, R, J, [full(windows)])
  const y = builder.map(label, share, 1, R, [full(sum)], windows.shape.slice(0, 4))
  return tape.record(y, [x], (dy) => {
    const spread = builder.map(`${label}.gradientWindow`, share, R, J, [row(dy)], windows.shape)
    return [builder.windowSum(`${label}.gradient`, form, spread)]
  })
}

/** −j where the element is the maximum, else −∞: the maximum of these is minus the first such place. */
const placeOfMaximum = ((): ScalarProgram => {
  const s = new ScalarBuilder('placeOfMaximum')
  const [x, most, j] = [s.input(), s.input(), s.integerInput()]
  return s.finish(s.select(s.equal(x, most), s.negate(s.toFloat(j)), s.constant(Number.NEGATIVE_INFINITY)))
})()

const onlyFirst = ((): ScalarProgram => {
  const s = new ScalarBuilder('onlyFirst')
  const [first, dy, j] = [s.input(), s.input(), s.integerInput()]
  return s.finish(s.select(s.equal(s.negate(s.toFloat(j)), first), dy, s.constant(0)))
})()
