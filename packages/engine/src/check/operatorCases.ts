import { activate, exponential, gelu, reluSquared, silu } from '../operators/activations.ts'
import { causalSoftmax } from '../operators/causalSoftmax.ts'
import { crossEntropy } from '../operators/crossEntropy.ts'
import { add, multiply, scale } from '../operators/elementwise.ts'
import { embedding } from '../operators/embedding.ts'
import { linear, matmul } from '../operators/matmul.ts'
import { rmsNorm } from '../operators/rmsNorm.ts'
import { product } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import { type Program, sizeOf, type Tensor } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { layerCases } from './layerCases.ts'
import { sampleValues } from './sampleValues.ts'

export type Given = {
  readonly name: string
  readonly shape: readonly number[]
  readonly integersBelow?: number
  /** Uniform numbers from 0 to below 1, and no gradient: noise, targets. */
  readonly isFixed?: boolean
  /** These numbers, and no gradient: tables. */
  readonly values?: Float32Array
}
export type OperatorCase = {
  readonly name: string
  readonly given: Given[]
  write(tape: Tape, inputs: Tensor[]): Tensor
}

const square = { group: 7 * 24, subgroup: 6, row: 24, column: 1 }
/** Every operator at sizes that leave vector and tile tails. */
export const operatorCases: readonly OperatorCase[] = [
  ...layerCases,
  {
    name: 'add',
    given: [
      { name: 'a', shape: [5, 7] },
      { name: 'b', shape: [5, 7] },
    ],
    write: (t, [a, b]) => add(t, 'y', a!, b!),
  },
  {
    name: 'add with repetition',
    given: [
      { name: 'a', shape: [3, 2, 5] },
      { name: 'b', shape: [2, 5] },
    ],
    write: (t, [a, b]) => add(t, 'y', a!, b!),
  },
  {
    name: 'multiply',
    given: [
      { name: 'a', shape: [33] },
      { name: 'b', shape: [33] },
    ],
    write: (t, [a, b]) => multiply(t, 'y', a!, b!),
  },
  { name: 'scale', given: [{ name: 'a', shape: [9] }], write: (t, [a]) => scale(t, 'y', a!, 0.3) },
  { name: 'reluSquared', given: [{ name: 'a', shape: [37] }], write: (t, [a]) => activate(t, 'y', reluSquared, a!) },
  { name: 'silu', given: [{ name: 'a', shape: [37] }], write: (t, [a]) => activate(t, 'y', silu, a!) },
  { name: 'gelu', given: [{ name: 'a', shape: [37] }], write: (t, [a]) => activate(t, 'y', gelu, a!) },
  { name: 'exp', given: [{ name: 'a', shape: [37] }], write: (t, [a]) => activate(t, 'y', exponential, a!) },
  {
    name: 'a tensor used twice',
    given: [{ name: 'a', shape: [11] }],
    write: (t, [a]) => add(t, 'y', multiply(t, 'm', a!, a!), a!),
  },
  {
    name: 'embedding',
    given: [
      { name: 'table', shape: [6, 5] },
      { name: 'index', shape: [9], integersBelow: 6 },
    ],
    write: (t, [x, i]) => embedding(t, 'y', x!, i!),
  },
  {
    name: 'rmsNorm',
    given: [
      { name: 'x', shape: [5, 13] },
      { name: 'g', shape: [13] },
    ],
    write: (t, [x, g]) => rmsNorm(t, 'y', x!, g!),
  },
  {
    name: 'causalSoftmax',
    given: [{ name: 'x', shape: [2, 11, 11] }],
    write: (t, [x]) => causalSoftmax(t, 'y', x!, 0.7),
  },
  {
    name: 'crossEntropy',
    given: [
      { name: 'x', shape: [6, 19] },
      { name: 'target', shape: [6], integersBelow: 19 },
    ],
    write: (t, [x, y]) => crossEntropy(t, 'y', x!, y!),
  },
  ...[
    [1, 1, 1],
    [4, 8, 8],
    [5, 7, 9],
    [13, 65, 6],
    [64, 16, 3],
  ].map(
    ([M = 1, N = 1, K = 1]): OperatorCase => ({
      name: `linear ${M}×${K} by ${K}×${N}`,
      given: [
        { name: 'x', shape: [M, K] },
        { name: 'w', shape: [K, N] },
      ],
      write: (t, [x, w]) => linear(t, 'y', x!, w!),
    }),
  ),
  {
    name: 'attention-shaped products',
    given: [
      { name: 'q', shape: [2, 7, 24] },
      { name: 'k', shape: [2, 7, 24] },
    ],
    write: (t, [q, k]) => {
      const form = {
        groups: 2,
        subgroups: 4,
        M: 7,
        N: 7,
        K: 6,
        a: square,
        b: { ...square, row: 1, column: 24 },
        c: { group: 4 * 49, subgroup: 49, row: 7, column: 1 },
      }
      return matmul(t, 'y', form, q!, k!, [2, 4, 7, 7])
    },
  },
]

type Written = { program: Program; inputs: Record<string, Float32Array | Int32Array> }

/** Output `y`, the loss Σ y·probe, and one gradient for each f32 input. */
export function writeCase({ given, write: body }: OperatorCase, edged: boolean): Written {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const inputs: Record<string, Float32Array | Int32Array> = {}
  const tensors = given.map(({ name, shape, integersBelow, isFixed, values: fixed }, i) => {
    const tensor = builder.input(name, shape, integersBelow ? 'i32' : 'f32')
    const values = sampleValues(sizeOf(tensor), i + 1, edged && !integersBelow)
    if (integersBelow) inputs[name] = Int32Array.from(values, (x) => Math.abs(Math.floor(x * 1000)) % integersBelow)
    else inputs[name] = fixed ?? (isFixed ? values.map((x) => Math.abs(x) % 1) : values)
    return tensor
  })
  const y = body(tape, tensors)
  const probe = builder.input('probe', y.shape)
  inputs.probe = sampleValues(sizeOf(y), 50, edged)
  builder.output('y', y)
  builder.output('loss', builder.reduce('rowSum', 'loss', product, 1, sizeOf(y), [full(y), full(probe)]))
  const wanted = tensors.filter((tensor, i) => tensor.type === 'f32' && !given[i]?.isFixed && !given[i]?.values)
  tape.gradients(y, probe, wanted).forEach((gradient, i) => {
    builder.output(`gradient.${wanted[i]!.name}`, gradient)
  })
  return { program: builder.finish(), inputs }
}
