import {
  full,
  type Program,
  ProgramBuilder,
  type Real,
  row,
  ScalarBuilder,
  scalar,
  updateProgram,
} from '@potluck/engine'
import type { UpdateEncoding } from '@potluck/protocol'
import { blockOf } from './blockOf.ts'
import { denseLevels, LARGEST_SCALE, SMALLEST_SCALE } from './denseLevels.ts'

/** 1.5·2^23: adding and taking away rounds a number within ±2^22 to the nearest whole one, ties to even. */
const ROUNDING = 12_582_912
/** Least squared error of three levels on normally distributed numbers is near 1.5 mean magnitudes. */
const MEANS = 1.5

/**
 * The update that a claim stands for, as a program: base minus parameters, moved to the levels that its bits can say (P-52). So
 * the root in a claim, the aggregation and a referee all speak of what receivers unpack, and a wrong level is a wrong element.
 *
 *   d = base − parameters      u_i = s·clamp(round(d_i / s), −L, L)      for each block its own s
 *
 * `dense8` and `dense4`: s = max |d| / L; `dense2`: s = 1.5 mean |d|. A scale keeps 16 significant bits, so that s·level is exact and
 * s follows again from the largest element.
 *
 * Inputs: base f32 [P]; parameters f32 [P]. Output: update f32 [P], which the last operation writes.
 * Order: maxima and sums over a block as E-11. Cost: 3 passes. Source: 4-bit outer gradients, arXiv:2501.18512; three levels by mean magnitudes, arXiv:1605.04711.
 *
 * @throws PotluckError NO_BLOCKS
 */
export function encodedUpdateProgram(P: number, encoding: UpdateEncoding): Program {
  if (encoding === 'f32') return updateProgram(P)
  const { most } = denseLevels[encoding]
  const block = blockOf(P)
  const blocks = P / block
  const b = new ProgramBuilder()
  const base = b.input('base', [P])
  const parameters = b.input('parameters', [P])
  const difference = b.map('difference', minus, 1, P, [full(base), full(parameters)], [P])

  const isMean = encoding === 'dense2'
  const magnitude = scalar<readonly [Real]>('magnitude', 1, (s, [x]) => s.absolute(x))
  const size = b.reduce(isMean ? 'rowSum' : 'rowMaximum', 'magnitudes', magnitude, blocks, block, [full(difference)])
  const scales = b.map('scales', scaleOf(isMean ? MEANS / block : 1 / most), 1, blocks, [full(size)], [blocks])

  const nearest = scalar<readonly [Real, Real]>('update', 2, (s, [x, scale]) => {
    const [top, bottom, bias] = [s.constant(most), s.constant(-most), s.constant(ROUNDING)]
    const level = s.subtract(s.add(s.divide(x, scale), bias), bias)
    const inside = s.select(s.less(level, top), s.select(s.less(bottom, level), level, bottom), top)
    return s.select(s.equal(scale, s.constant(0)), s.constant(0), s.multiply(inside, scale))
  })
  b.output('update', b.map('update', nearest, blocks, block, [full(difference), row(scales)], [P]))
  return b.finish()
}

const minus = scalar<readonly [Real, Real]>('difference', 2, (s, [before, after]) => s.subtract(before, after))

/** `factor` times a magnitude, down to 16 significant bits; 0 where it is too small to count. */
function scaleOf(factor: number) {
  const s = new ScalarBuilder('scale')
  const wanted = s.multiply(s.input(), s.constant(factor))
  const largest = s.constant(LARGEST_SCALE)
  // Written so that a NaN becomes the largest scale, and its update one that weighs nothing (L-13).
  const bounded = s.select(s.less(wanted, largest), wanted, largest)
  const short = s.fromBits(s.shiftLeft(s.shiftRight(s.bits(bounded), 8), 8))
  return s.finish(s.select(s.less(bounded, s.constant(SMALLEST_SCALE)), s.constant(0), short))
}
