import { accumulate } from '../operators/accumulate.ts'
import { adamW } from '../operators/adamW.ts'
import { clipByNorm, globalNorm } from '../operators/clip.ts'
import { muon } from '../operators/muon.ts'
import { scalar } from '../operators/scalar.ts'
import { sgd } from '../operators/sgd.ts'
import { type Program, sizeOf, type Tensor } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { cos, sin } from '../scalar/functions.ts'
import { sampleValues } from './sampleValues.ts'

type Inputs = Record<string, Float32Array>
export type ProgramCase = { readonly name: string; readonly program: Program; readonly inputs: Inputs }

/** Optimisers and what else writes operations without a tape, at sizes that leave vector and tile tails. */
export const programCases = (edged: boolean): readonly ProgramCase[] => [
  ...[true, false].map((nesterov) =>
    oneCase(`sgd${nesterov ? ' with Nesterov momentum' : ''}`, edged, (b, given) => {
      const [w, g, m] = [given('w', [5, 7]), given('g', [5, 7]), given('m', [5, 7])]
      const [next, after] = [b.tensor('next', [5, 7]), b.tensor('after', [5, 7])]
      const rates = { rate: given('rate', [1]), decay: nesterov ? given('decay', [1]) : null }
      sgd(b, 'sgd', { momentum: 0.9, nesterov }, rates, [w, g, m], [next, after])
      return { next, after }
    }),
  ),
  oneCase('adamW', edged, (b, given) => {
    const [w, g, m, v] = [given('w', [5, 7]), given('g', [5, 7]), given('m', [5, 7]), given('v', [5, 7], true)]
    const next = ['next', 'after1', 'after2'].map((name) => b.tensor(name, [5, 7])) as [Tensor, Tensor, Tensor]
    const [correction1, correction2] = [given('correction1', [1], true), given('correction2', [1], true)]
    const rates = { rate: given('rate', [1]), decay: given('decay', [1]), correction1, correction2 }
    adamW(b, 'adamW', { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 }, rates, [w, g, m, v], next)
    return { next: next[0], after1: next[1], after2: next[2] }
  }),
  ...[
    [9, 13],
    [13, 9],
    [6, 6],
  ].map(([rows = 1, columns = 1]) =>
    oneCase(`muon ${rows}×${columns}`, edged, (b, given) => {
      const shape = [rows, columns]
      const [w, g, m] = [given('w', shape), given('g', shape), given('m', shape)]
      const [next, after] = [b.tensor('next', shape), b.tensor('after', shape)]
      const rates = { rate: given('rate', [1]), decay: given('decay', [1]) }
      muon(b, 'muon', { momentum: 0.95, nesterov: true }, rates, [w, g, m], [next, after])
      return { next, after }
    }),
  ),
  oneCase('clipByNorm', edged, (b, given) => {
    const gradients = Array.from({ length: 19 }, (_, i) => given(`g${i}`, i === 3 ? [4, 5] : [i + 1]))
    const norm = globalNorm(b, 'norm', gradients)
    const clipped = clipByNorm(b, 'clipped', gradients, norm, 1.5)
    return { norm, ...Object.fromEntries(clipped.map((tensor, i) => [`clipped${i}`, tensor])) }
  }),
  oneCase('accumulate', edged, (b, given) => {
    const [sum] = accumulate(b, 'sum', [given('total', [5, 7])], [given('g', [5, 7])])
    return { sum: sum! }
  }),
  oneCase('sin and cos', edged, (b, given) => {
    const x = given('x', [61])
    return {
      sin: b.map(
        'sin',
        scalar('sin', 1, (s, [v]) => sin(s, v!)),
        1,
        61,
        [full(x)],
        [61],
      ),
      cos: b.map(
        'cos',
        scalar('cos', 1, (s, [v]) => cos(s, v!)),
        1,
        61,
        [full(x)],
        [61],
      ),
    }
  }),
]

type Given = (name: string, shape: readonly number[], isPositive?: boolean) => Tensor

function oneCase(
  name: string,
  edged: boolean,
  write: (builder: ProgramBuilder, given: Given) => Record<string, Tensor>,
): ProgramCase {
  const builder = new ProgramBuilder()
  const inputs: Inputs = {}
  const outputs = write(builder, (input, shape, isPositive = false) => {
    const tensor = builder.input(input, shape)
    const values = sampleValues(sizeOf(tensor), Object.keys(inputs).length + 11, edged)
    inputs[input] = isPositive ? values.map(Math.abs) : values
    return tensor
  })
  for (const [output, tensor] of Object.entries(outputs)) builder.output(output, tensor)
  return { name, program: builder.finish(), inputs }
}
