import { PotluckError } from '@potluck/protocol'
import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder, row } from '../program/ProgramBuilder.ts'
import { type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import { squaredNorm } from './clip.ts'
import { plainProduct, turned } from './matmul.ts'
import { scalar, type Two } from './scalar.ts'
import type { StepRates } from './sgd.ts'

export type Muon = { readonly momentum: number; readonly nesterov: boolean }

/** Of the quintic a·X + (b·A + c·A²)·X, A = X·Xᵀ, which drives every singular value towards 1. */
const [a, b, c] = [3.4445, -4.775, 2.0315]
const ITERATIONS = 5

/**
 * One step of Muon on one matrix: momentum, then the direction with all its singular values brought near 1.
 *
 *   m' = μ·m + g     u = nesterov ? g + μ·m' : m'     X = u / (‖u‖ + 1e-7), ‖u‖ the Frobenius norm
 *   five times: A = X·Xᵀ, B = b·A + c·(A·A), X = a·X + B·X;   where in > out: A = Xᵀ·X and X = a·X + X·B
 *   w' = (w − decay·w) − rate·(X·sqrt(max(1, out/in)))
 *
 * @param w [in, out]; g and m alike. Vectors and tables are for another optimiser
 * @param into where w' and m' go, in that order
 * @throws PotluckError SHAPE when w is no matrix
 *
 * Order: every product over k ascending (E-10), the norm as in `squaredNorm`. Cost: 15 products of the smaller side.
 * Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
 */
export function muon(
  builder: ProgramBuilder,
  label: string,
  { momentum, nesterov }: Muon,
  { rate, decay }: StepRates,
  [w, g, m]: readonly [w: Tensor, gradient: Tensor, m: Tensor],
  into: readonly [w: Tensor, m: Tensor],
): void {
  const [rows = 1, columns = 1] = w.shape
  if (w.shape.length !== 2)
    throw new PotluckError('SHAPE', `muon ${label}: takes a matrix, got [${w.shape.join(', ')}]`)
  const direction = builder.tensor(`${label}.direction`, w.shape)
  const advance = momentumProgram(momentum, nesterov)
  builder.mapInto(`${label}.momentum`, advance, 1, sizeOf(w), [full(g), full(m)], [direction, into[1]])
  const squares = squaredNorm(builder, `${label}.squares`, direction)
  let x = builder.map(`${label}.start`, unitLength, 1, sizeOf(w), [full(direction), row(squares)], w.shape)
  for (let i = 0; i < ITERATIONS; i++) x = iterate(builder, `${label}.iteration${i}`, x)
  const step = stepProgram(Math.sqrt(Math.max(1, columns / rows)), decay !== null)
  const operands = [full(w), full(x), row(rate)]
  builder.mapInto(label, step, 1, sizeOf(w), decay ? [...operands, row(decay)] : operands, [into[0]])
}

function iterate(builder: ProgramBuilder, label: string, x: Tensor): Tensor {
  const [rows = 1, columns = 1] = x.shape
  const isTall = rows > columns
  const side = isTall ? columns : rows
  const long = isTall ? rows : columns
  const plain = { group: 0, subgroup: 0, row: columns, column: 1 }
  const gramForm = {
    ...plainProduct(side, long, side),
    a: isTall ? turned(plain) : plain,
    b: isTall ? plain : turned(plain),
  }
  const gram = builder.matmul(`${label}.gram`, gramForm, x, x, [side, side])
  const squared = builder.matmul(`${label}.gramSquared`, plainProduct(side, side, side), gram, gram, [side, side])
  const mixed = builder.map(`${label}.mixed`, mix, 1, side * side, [full(gram), full(squared)], [side, side])
  const [left, right] = isTall ? [x, mixed] : [mixed, x]
  const turnedX = builder.matmul(`${label}.product`, plainProduct(rows, side, columns), left, right, x.shape)
  return builder.map(label, combine, 1, sizeOf(x), [full(x), full(turnedX)], x.shape)
}

const mix = scalar<Two>('muon.mix', 2, (s, [gram, squared]) =>
  s.add(s.multiply(s.constant(b), gram), s.multiply(s.constant(c), squared)),
)
const combine = scalar<Two>('muon.combine', 2, (s, [x, turnedX]) => s.add(s.multiply(s.constant(a), x), turnedX))
const unitLength = scalar<Two>('muon.unitLength', 2, (s, [u, squares]) =>
  s.divide(u, s.add(s.sqrt(squares), s.constant(1e-7))),
)

/** From (g, m): the direction and the new momentum. */
function momentumProgram(momentum: number, nesterov: boolean) {
  const s = new ScalarBuilder('muon.momentum')
  const [g, before] = [s.input(), s.input()]
  const mu = s.constant(momentum)
  const after = s.add(s.multiply(mu, before), g)
  return s.finish(nesterov ? s.add(g, s.multiply(mu, after)) : after, after)
}

/** From (w, X, rate and, if it decays, decay): the new weight. */
function stepProgram(factor: number, decays: boolean) {
  const s = new ScalarBuilder('muon')
  const [weight, x, rate] = [s.input(), s.input(), s.input()]
  const kept: Real = decays ? s.subtract(weight, s.multiply(s.input(), weight)) : weight
  return s.finish(s.subtract(kept, s.multiply(rate, s.multiply(x, s.constant(factor)))))
}
