import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameBits, runBoth } from '../../test/runBoth.ts'
import { sampleValues } from '../check/sampleValues.ts'
import { checkProgram } from '../program/checkProgram.ts'
import { planMemory } from '../program/memoryPlan.ts'
import { type Program, sizeOf, type Tensor } from '../program/Program.ts'
import { ProgramBuilder } from '../program/ProgramBuilder.ts'
import { activate, silu } from './activations.ts'
import { causalSoftmax } from './causalSoftmax.ts'
import { add } from './elementwise.ts'
import { linear, matmul } from './matmul.ts'
import { rmsNorm } from './rmsNorm.ts'
import { Tape } from './Tape.ts'

const [B, T, C, H, hidden, layers] = [2, 16, 16, 2, 48, 4]
const shapes = {
  gain: [C],
  query: [C, C],
  key: [C, C],
  value: [C, C],
  out: [C, C],
  up: [C, hidden],
  down: [hidden, C],
}

/** One pre-norm layer: causal attention, then a gated part. */
function layer(tape: Tape, x: Tensor, w: Readonly<Record<string, Tensor>>): Tensor {
  const rows = { group: T * C, subgroup: C / H, row: C, column: 1 }
  const columns = { ...rows, row: 1, column: C }
  const square = { group: H * T * T, subgroup: T * T, row: T, column: 1 }
  const scoring = { groups: B, subgroups: H, M: T, N: T, K: C / H, a: rows, b: columns, c: square }
  const mixing = { groups: B, subgroups: H, M: T, N: C / H, K: T, a: square, b: rows, c: rows }
  const h = rmsNorm(tape, 'norm', x, w.gain!)
  const [q, k, v] = [w.query!, w.key!, w.value!].map((part, i) => linear(tape, `part${i}`, h, part))
  const scores = matmul(tape, 'scores', scoring, q!, k!, [B, H, T, T])
  const mixed = matmul(tape, 'mixed', mixing, causalSoftmax(tape, 'weights', scores, 0.3), v!, [B * T, C])
  const middle = add(tape, 'attention', x, linear(tape, 'out', mixed, w.out!))
  const up = activate(tape, 'silu', silu, linear(tape, 'up', rmsNorm(tape, 'norm2', middle, w.gain!), w.up!))
  return add(tape, 'result', middle, linear(tape, 'down', up, w.down!))
}

/** Four layers with their gradients; `shared`: all use the weights of the first. */
function transformer(
  checkpointing: boolean,
  shared: boolean,
): { program: Program; inputs: Record<string, Float32Array> } {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const inputs: Record<string, Float32Array> = {}
  const given = (name: string, shape: readonly number[], spread: number): Tensor => {
    const tensor = builder.input(name, shape)
    inputs[name] = sampleValues(sizeOf(tensor), Object.keys(inputs).length + 1, false).map((value) => spread * value)
    return tensor
  }
  let x = given('x', [B * T, C], 1)
  const wanted = [x]
  let w: Record<string, Tensor> = {}
  for (let i = 0; i < layers; i++) {
    if (i === 0 || !shared) {
      w = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, given(`${name}${i}`, shape, 0.3)]))
      wanted.push(...Object.values(w))
    }
    const [own, input] = [w, x]
    const body = (on: Tape): Tensor => layer(on, input, own)
    x = checkpointing
      ? tape.checkpoint(`layer${i}`, [input, ...Object.values(own)], body)
      : builder.within(`layer${i}`, () => body(tape))
  }
  const gradients = tape.gradients(x, given('seed', [B * T, C], 1), wanted)
  for (const [i, gradient] of gradients.entries()) builder.output(wanted[i]!.name, gradient)
  return { program: builder.finish(), inputs }
}

for (const shared of [false, true]) {
  test(`recomputation leaves every gradient of a transformer as it is, weights ${shared ? 'shared' : 'apart'} [E-25]`, async () => {
    const [plain, again] = [transformer(false, shared), transformer(true, shared)]
    const expected = await runBoth(plain.program, plain.inputs)
    const seen = await runBoth(again.program, again.inputs)
    for (const [name, values] of Object.entries(expected)) assertSameBits(seen[name]!, values, name)
  })
}

test('recomputation lowers the peak of a four-layer transformer by more than a third [E-25]', () => {
  const [plain, again] = [false, true].map((checkpointing) => transformer(checkpointing, false).program)
  const kept = (program: Program): number =>
    [...Object.values(program.inputs), ...Object.values(program.outputs)].reduce(
      (sum, id) => sum + 4 * sizeOf(program.tensors[id]!),
      0,
    )
  const working = (program: Program): number => planMemory(program, 0).peakBytes - kept(program)
  assert.ok(working(again!) < 0.66 * working(plain!), `${working(again!)} of ${working(plain!)} bytes`)
})

test('what is computed again is labelled so, in order, and no result is computed that nobody reads [E-25]', () => {
  const { program } = transformer(true, false)
  checkProgram(program)
  const labels = program.operations.map(({ label }) => label)
  const first = labels.indexOf('layer3.up')
  const again = labels.indexOf('layer3.up.again')
  assert.ok(first >= 0 && again > first && labels.indexOf('layer3.up.gradientB') > again)
  assert.ok(labels.indexOf('layer2.up.again') > labels.indexOf('layer3.norm.gradient'))
  // The last sum of a layer is not needed to go back through it.
  assert.ok(labels.includes('layer0.result') && !labels.includes('layer0.result.again'))
})

test('checkpoints may hold checkpoints [E-25]', async () => {
  const build = (deep: boolean): Program => {
    const builder = new ProgramBuilder()
    const tape = new Tape(builder)
    const x = builder.input('x', [3, 3])
    const inner = (on: Tape, from: Tensor): Tensor =>
      activate(on, 'outside', silu, activate(on, 'inside', silu, linear(on, 'product', from, from)))
    const body = (on: Tape): Tensor => {
      const middle = deep ? on.checkpoint('inner', [x], (t) => inner(t, x)) : inner(on, x)
      return linear(on, 'end', middle, x)
    }
    const y = deep ? tape.checkpoint('outer', [x], body) : body(tape)
    builder.output('gradient', tape.gradients(y, builder.input('seed', y.shape), [x])[0]!)
    return builder.finish()
  }
  const inputs = { x: sampleValues(9, 1, false), seed: sampleValues(9, 2, false) }
  const [plain, deep] = [await runBoth(build(false), inputs), await runBoth(build(true), inputs)]
  assertSameBits(deep.gradient!, plain.gradient!, 'gradient')
})
