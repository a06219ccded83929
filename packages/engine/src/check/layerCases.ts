import { activate, gelu, geluTanh, relu, sigmoid, silu, tanh } from '../operators/activations.ts'
import { conv2d } from '../operators/conv2d.ts'
import { dropout } from '../operators/dropout.ts'
import { add } from '../operators/elementwise.ts'
import { layerNorm } from '../operators/layerNorm.ts'
import { lora } from '../operators/lora.ts'
import { binaryCrossEntropy, meanSquaredError } from '../operators/losses.ts'
import { linear } from '../operators/matmul.ts'
import { averagePool, maxPool } from '../operators/pooling.ts'
import { reshape } from '../operators/reshape.ts'
import { rope, ropeTables } from '../operators/rope.ts'
import { softmax } from '../operators/softmax.ts'
import { swiglu } from '../operators/swiglu.ts'
import type { Tensor, WindowForm } from '../program/Program.ts'
import type { Given, OperatorCase } from './operatorCases.ts'

const given = (shapes: Readonly<Record<string, readonly number[]>>, fixed: readonly string[] = []): Given[] =>
  Object.entries(shapes).map(([name, shape]) => ({ name, shape, isFixed: fixed.includes(name) }))

const images = (form: Partial<WindowForm>): WindowForm => ({
  images: 2,
  height: 5,
  width: 6,
  channels: 3,
  kernelHeight: 3,
  kernelWidth: 3,
  stride: 1,
  padding: 0,
  ...form,
})
const shapeOf = ({ images: N, height, width, channels }: WindowForm): number[] => [N, height, width, channels]

const padded = images({ padding: 1 })
const strided = images({ kernelHeight: 2, stride: 2 })
const halves = images({ height: 6, kernelHeight: 2, kernelWidth: 2, stride: 2 })
const overlapping = images({ height: 7, width: 7, channels: 1, stride: 2 })

const tables = ropeTables(3, 12, 6, 10000)

const activations = { relu, sigmoid, tanh, geluTanh }

/** The layers of models: norms, positions, images, noise, losses, recomputation. */
export const layerCases: readonly OperatorCase[] = [
  ...Object.entries(activations).map(
    ([name, activation]): OperatorCase => ({
      name,
      given: given({ a: [37] }),
      write: (t, [a]) => activate(t, 'y', activation, a!),
    }),
  ),
  {
    name: 'linear with bias',
    given: given({ x: [5, 9], w: [9, 7], b: [7] }),
    write: (t, [x, w, b]) => linear(t, 'y', x!, w!, b!),
  },
  {
    name: 'linear on images laid flat',
    given: given({ x: [2, 3, 2, 2], w: [12, 5] }),
    write: (t, [x, w]) => linear(t, 'y', x!, w!),
  },
  {
    name: 'reshape',
    given: given({ x: [2, 3, 4], b: [8] }),
    write: (t, [x, b]) => add(t, 'y', reshape(t, 'rows', x!, [3, 8]), b!),
  },
  {
    name: 'swiglu',
    given: given({ gate: [37], up: [37] }),
    write: (t, [gate, up]) => swiglu(t, 'y', gate!, up!),
  },
  {
    name: 'layerNorm',
    given: given({ x: [5, 13], g: [13], b: [13] }),
    write: (t, [x, g, b]) => layerNorm(t, 'y', x!, g!, b!),
  },
  {
    name: 'rope',
    given: [
      { name: 'x', shape: [6, 12] },
      { name: 'cos', shape: [3, 12], values: tables.cos },
      { name: 'sin', shape: [3, 12], values: tables.sin },
    ],
    write: (t, [x, cos, sin]) => rope(t, 'y', x!, cos!, sin!),
  },
  {
    name: 'conv2d with padding and bias',
    given: given({ x: shapeOf(padded), w: [27, 4], b: [4] }),
    write: (t, [x, w, b]) => conv2d(t, 'y', x!, w!, b!, padded),
  },
  {
    name: 'conv2d with stride',
    given: given({ x: shapeOf(strided), w: [18, 5] }),
    write: (t, [x, w]) => conv2d(t, 'y', x!, w!, undefined, strided),
  },
  { name: 'maxPool', given: given({ x: shapeOf(halves) }), write: (t, [x]) => maxPool(t, 'y', x!, halves) },
  {
    name: 'maxPool with overlap',
    given: given({ x: shapeOf(overlapping) }),
    write: (t, [x]) => maxPool(t, 'y', x!, overlapping),
  },
  {
    name: 'averagePool with padding',
    given: given({ x: shapeOf(padded) }),
    write: (t, [x]) => averagePool(t, 'y', x!, padded),
  },
  {
    name: 'dropout',
    given: given({ x: [6, 7], noise: [6, 7] }, ['noise']),
    write: (t, [x, noise]) => dropout(t, 'y', x!, noise!, 0.3),
  },
  {
    name: 'lora',
    given: given({ x: [5, 9], w: [9, 7], a: [9, 2], b: [2, 7] }),
    write: (t, [x, w, a, b]) => lora(t, 'y', x!, w!, a!, b!, 0.5),
  },
  { name: 'softmax', given: given({ x: [2, 3, 11] }), write: (t, [x]) => softmax(t, 'y', x!) },
  {
    name: 'meanSquaredError',
    given: given({ x: [4, 3], target: [4, 3] }, ['target']),
    write: (t, [x, target]) => meanSquaredError(t, 'y', x!, target!),
  },
  {
    name: 'binaryCrossEntropy',
    given: given({ x: [19], target: [19] }, ['target']),
    write: (t, [x, target]) => binaryCrossEntropy(t, 'y', x!, target!),
  },
  {
    name: 'checkpoint',
    given: given({ x: [4, 6], w: [6, 6], v: [6, 6] }),
    write: (t, [x, w, v]) => {
      const block = (label: string, from: Tensor): Tensor =>
        t.checkpoint(label, [from, w!, v!], (tape) => {
          const h = activate(tape, 'h', silu, linear(tape, 'up', from, w!))
          return add(tape, 'residual', from, linear(tape, 'down', h, v!))
        })
      return activate(t, 'y', gelu, block('second', activate(t, 'between', sigmoid, block('first', x!))))
    },
  },
]
