import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBoth } from '../../test/runBoth.ts'
import { sizeOf, type Tensor, type WindowForm } from '../program/Program.ts'
import { ProgramBuilder } from '../program/ProgramBuilder.ts'
import { type Activation, activate, gelu, geluTanh, relu, sigmoid, silu, tanh } from './activations.ts'
import { conv2d } from './conv2d.ts'
import { dropout } from './dropout.ts'
import { layerNorm } from './layerNorm.ts'
import { lora } from './lora.ts'
import { binaryCrossEntropy, meanSquaredError } from './losses.ts'
import { averagePool, maxPool } from './pooling.ts'
import { rope, ropeTables } from './rope.ts'
import { softmax } from './softmax.ts'
import { swiglu } from './swiglu.ts'
import { Tape } from './Tape.ts'

type Given = Readonly<Record<string, readonly [shape: number[], values: number[]]>>

/** The value of an operator and the gradients of the sum of its elements with respect to `wanted`. */
async function compute(
  given: Given,
  wanted: readonly string[],
  write: (tape: Tape, of: (name: string) => Tensor) => Tensor,
): Promise<Record<string, number[]>> {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const tensors = new Map(Object.entries(given).map(([name, [shape]]) => [name, builder.input(name, shape)]))
  const of = (name: string): Tensor => tensors.get(name)!
  const y = write(tape, of)
  const ones = builder.input('ones', y.shape)
  builder.output('y', y)
  const gradients = tape.gradients(y, ones, wanted.map(of))
  for (const [i, name] of wanted.entries()) builder.output(name === 'y' ? name : `d${name}`, gradients[i]!)
  const inputs = Object.fromEntries(
    Object.entries(given).map(([name, [, values]]) => [name, Float32Array.from(values)]),
  )
  const outputs = await runBoth(builder.finish(), { ...inputs, ones: new Float32Array(sizeOf(y)).fill(1) })
  return Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, [...values]]))
}

function assertNear(seen: readonly number[] | undefined, expected: readonly number[], tolerance = 1e-6): void {
  assert.equal(seen?.length, expected.length)
  expected.forEach((value, i) => {
    assert.ok(
      Math.abs(seen![i]! - value) <= tolerance * Math.max(1, Math.abs(value)),
      `${i}: ${seen![i]}, not ${value}`,
    )
  })
}

const window = (form: Partial<WindowForm>): WindowForm => ({
  images: 1,
  height: 3,
  width: 3,
  channels: 1,
  kernelHeight: 2,
  kernelWidth: 2,
  stride: 1,
  padding: 0,
  ...form,
})

test('activations have their known values and slopes [E-23]', async () => {
  const at = async (activation: Activation): Promise<Record<string, number[]>> =>
    compute({ x: [[3], [-3, 0, 1]] }, ['x'], (tape, of) => activate(tape, 'y', activation, of('x')))
  const check = async (activation: Activation, y: number[], dx: number[]): Promise<void> => {
    const seen = await at(activation)
    assertNear(seen.y, y)
    assertNear(seen.dx, dx)
  }
  await check(relu, [0, 0, 1], [0, 0, 1])
  await check(sigmoid, [0.04742587, 0.5, 0.73105858], [0.04517666, 0.25, 0.19661193])
  await check(tanh, [-0.99505475, 0, 0.76159416], [0.00986604, 1, 0.41997434])
  await check(silu, [-0.14227762, 0, 0.73105858], [-0.08810411, 0.5, 0.92767051])
  await check(gelu, [-0.00404951, 0, 0.84134475], [-0.01194563, 0.5, 1.08331547])
  await check(geluTanh, [-0.00363739, 0, 0.84119199], [-0.01158417, 0.5, 1.08296424])
})

test('the gate of a llama layer is silu(gate) times up [E-23]', async () => {
  const { y, dgate, dup } = await compute({ gate: [[2], [1, 0]], up: [[2], [3, 5]] }, ['gate', 'up'], (tape, of) =>
    swiglu(tape, 'y', of('gate'), of('up')),
  )
  assertNear(y, [2.19317574, 0])
  assertNear(dgate, [2.78301153, 2.5])
  assertNear(dup, [0.73105858, 0])
})

test('layer norm gives rows of mean 0 and variance 1 before gain and bias [E-23]', async () => {
  const { y, dx, dg, db } = await compute(
    {
      x: [
        [2, 2],
        [1, 3, 10, 10],
      ],
      g: [[2], [2, 2]],
      b: [[2], [1, -1]],
    },
    ['x', 'g', 'b'],
    (tape, of) => layerNorm(tape, 'y', of('x'), of('g'), of('b')),
  )
  assertNear(y, [-0.99999, 0.99999, 1, -1], 1e-5)
  assertNear(dx, [0, 0, 0, 0])
  assertNear(dg, [-0.999995, 0.999995], 1e-6)
  assertNear(db, [2, 2])
})

test('rotary positions turn each adjacent pair by the angle of its row [E-23]', async () => {
  const { y, dx } = await compute(
    {
      x: [
        [4, 2],
        [1, 2, 1, 2, 5, 6, 5, 6],
      ],
      cos: [
        [2, 2],
        [1, 1, 0, 0],
      ],
      sin: [
        [2, 2],
        [0, 0, 1, 1],
      ],
    },
    ['x'],
    (tape, of) => rope(tape, 'y', of('x'), of('cos'), of('sin')),
  )
  assert.deepEqual(y, [1, 2, -2, 1, 5, 6, -6, 5])
  assert.deepEqual(dx, [1, 1, 1, -1, 1, 1, 1, -1])
})

test('rotary tables give both channels of a pair one angle, alike in every head [E-21] [E-23]', () => {
  const { cos, sin } = ropeTables(3, 8, 4, 10000)
  for (let t = 0; t < 3; t++) {
    for (let c = 0; c < 8; c++) {
      const angle = t * (c % 4 < 2 ? 1 : 0.01)
      // biome-ignore lint/plugin: compared with, not part of a result
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
      assert.ok(Math.abs(cos[8 * t + c]! - cosine) < 1e-7)
      assert.ok(Math.abs(sin[8 * t + c]! - sine) < 1e-7)
    }
  }
})

test('a convolution sums its window and takes channel, row, column in that order [E-24]', async () => {
  const image = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  const ones = await compute(
    {
      x: [[1, 3, 3, 1], image],
      w: [
        [4, 1],
        [1, 1, 1, 1],
      ],
      b: [[1], [0.5]],
    },
    ['x', 'w', 'b'],
    (tape, of) => conv2d(tape, 'y', of('x'), of('w'), of('b'), window({})),
  )
  assert.deepEqual(ones.y, [12.5, 16.5, 24.5, 28.5])
  assert.deepEqual(ones.dx, [1, 2, 1, 2, 4, 2, 1, 2, 1])
  assert.deepEqual(ones.dw, [12, 16, 24, 28])
  assert.deepEqual(ones.db, [4])
  // Two channels; w picks channel 1, row 0, column 1 of the window: k = (1·2 + 0)·2 + 1.
  const pick = Array.from({ length: 8 }, (_, k) => (k === 5 ? 1 : 0))
  const two = await compute(
    { x: [[1, 3, 3, 2], image.flatMap((value) => [value, 10 * value])], w: [[8, 1], pick] },
    ['x'],
    (tape, of) => conv2d(tape, 'y', of('x'), of('w'), undefined, window({ channels: 2 })),
  )
  assert.deepEqual(two.y, [20, 30, 50, 60])
})

test('max pooling sends the gradient to the first maximum of each window [E-24]', async () => {
  const { y, dx } = await compute(
    {
      x: [
        [1, 3, 3, 1],
        [5, 5, 1, 2, 5, 7, 0, 7, 7],
      ],
    },
    ['x'],
    (tape, of) => maxPool(tape, 'y', of('x'), window({})),
  )
  assert.deepEqual(y, [5, 7, 7, 7])
  assert.deepEqual(dx, [1, 0, 0, 0, 0, 2, 0, 1, 0])
})

test('max pooling refuses padding [E-24]', () => {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [1, 3, 3, 1])
  assert.throws(() => maxPool(new Tape(builder), 'y', x, window({ padding: 1 })), { code: 'SHAPE', message: /padding/ })
})

test('average pooling divides by the whole window, padded places included [E-24]', async () => {
  const { y, dx } = await compute({ x: [[1, 1, 1, 1], [8]] }, ['x'], (tape, of) =>
    averagePool(tape, 'y', of('x'), window({ height: 1, width: 1, padding: 1 })),
  )
  assert.deepEqual(y, [2, 2, 2, 2])
  assert.deepEqual(dx, [1])
})

test('dropout keeps what the noise does not reach and scales it up [E-23]', async () => {
  const { y, dx } = await compute(
    { x: [[4], [1, 2, 3, 4]], noise: [[4], [0.49999997, 0.5, 0, 0.9]] },
    ['x'],
    (tape, of) => dropout(tape, 'y', of('x'), of('noise'), 0.5),
  )
  assert.deepEqual(y, [0, 4, 0, 8])
  assert.deepEqual(dx, [0, 2, 0, 2])
  const builder = new ProgramBuilder()
  const x = builder.input('x', [1])
  for (const rate of [1, -0.1, Number.NaN]) {
    assert.throws(() => dropout(new Tape(builder), 'y', x, x, rate), { code: 'SHAPE', message: /rate/ })
  }
})

test('softmax gives shares that sum to 1, far from overflow [E-23]', async () => {
  const { y, dx } = await compute(
    {
      x: [
        [2, 2],
        [1000, 1000, 0, 1.0986123],
      ],
    },
    ['x'],
    (tape, of) => softmax(tape, 'y', of('x')),
  )
  assertNear(y, [0.5, 0.5, 0.25, 0.75])
  assertNear(dx, [0, 0, 0, 0])
})

test('the losses of a row have their known values [E-23]', async () => {
  const squares = await compute(
    {
      x: [
        [2, 2],
        [1, 2, 3, 3],
      ],
      t: [
        [2, 2],
        [0, 0, 3, 5],
      ],
    },
    ['x'],
    (tape, of) => meanSquaredError(tape, 'y', of('x'), of('t')),
  )
  assert.deepEqual(squares.y, [2.5, 2])
  assert.deepEqual(squares.dx, [1, 2, 0, -2])
  const logits = await compute({ x: [[4], [0, 100, -100, 1]], t: [[4], [1, 1, 1, 0.5]] }, ['x'], (tape, of) =>
    binaryCrossEntropy(tape, 'y', of('x'), of('t')),
  )
  assertNear(logits.y, [Math.LN2, 0, 100, 0.81326169])
  assertNear(logits.dx, [-0.5, 0, -1, 0.23105858])
})

test('low-rank adapters add to a frozen layer, for which nothing is computed [E-23]', async () => {
  const given: Given = {
    x: [
      [1, 2],
      [1, 2],
    ],
    w: [
      [2, 2],
      [1, 0, 0, 1],
    ],
    a: [
      [2, 1],
      [1, 0],
    ],
    b: [
      [1, 2],
      [0, 3],
    ],
  }
  const { y, da, db } = await compute(given, ['a', 'b'], (tape, of) =>
    lora(tape, 'y', of('x'), of('w'), of('a'), of('b'), 0.5),
  )
  assert.deepEqual(y, [1, 3.5])
  assert.deepEqual(da, [1.5, 3])
  assert.deepEqual(db, [0.5, 0.5])
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const [x, w, a, b] = Object.entries(given).map(([name, [shape]]) => builder.input(name, shape))
  const result = lora(tape, 'y', x!, w!, a!, b!, 0.5)
  tape.gradients(result, builder.input('dy', [1, 2]), [a!, b!])
  const labels = builder.finish().operations.map(({ label }) => label)
  assert.ok(!labels.some((label) => label.startsWith('y.frozen.gradient')), labels.join(' '))
})
