import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBoth } from '../../test/runBoth.ts'
import { programCases } from '../check/programCases.ts'
import { sampleValues } from '../check/sampleValues.ts'
import type { Tensor } from '../program/Program.ts'
import { ProgramBuilder } from '../program/ProgramBuilder.ts'
import { accumulate } from './accumulate.ts'
import { clipByNorm, globalNorm } from './clip.ts'
import { muon } from './muon.ts'
import { sgd } from './sgd.ts'

for (const edged of [false, true]) {
  for (const { name, program, inputs } of programCases(edged)) {
    test(`${name}${edged ? ' at the edges of f32' : ''}: equal bits on both executors [E-02] [E-26] [E-27]`, async () => {
      await runBoth(program, inputs)
    })
  }
}

test('gradient descent with momentum follows its formula [E-26]', async () => {
  const step = async (nesterov: boolean, decays: boolean): Promise<[number, number]> => {
    const b = new ProgramBuilder()
    const [w, g, m, rate, decay] = ['w', 'g', 'm', 'rate', 'decay'].map((name) => b.input(name, [1])) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    const into = [b.tensor('next', [1]), b.tensor('after', [1])] as const
    sgd(b, 'sgd', { momentum: 0.5, nesterov }, { rate, decay: decays ? decay : null }, [w, g, m], into)
    b.output('next', into[0])
    b.output('after', into[1])
    const values = { w: 1, g: 0.5, m: 0.25, rate: 0.5, decay: 0.25 }
    const inputs = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Float32Array.of(value)]))
    const { next, after } = await runBoth(b.finish(), inputs)
    return [next![0]!, after![0]!]
  }
  // m' = 0.125 + 0.5; Nesterov: 0.5 + 0.5·0.625 = 0.8125.
  assert.deepEqual(await step(false, false), [1 - 0.3125, 0.625])
  assert.deepEqual(await step(true, true), [0.75 - 0.40625, 0.625])
})

/** −w′ of one Muon step from w = 0 with rate 1 and no momentum: the direction, scaled. */
async function direction(rows: number, columns: number, gradient: Float32Array): Promise<Float32Array> {
  const b = new ProgramBuilder()
  const shape = [rows, columns]
  const [w, g, m, rate] = [b.input('w', shape), b.input('g', shape), b.input('m', shape), b.input('rate', [1])]
  const into = [b.tensor('next', shape), b.tensor('after', shape)] as const
  muon(b, 'muon', { momentum: 0.95, nesterov: true }, { rate, decay: null }, [w, g, m], into)
  b.output('next', into[0])
  const zero = new Float32Array(rows * columns)
  const { next } = await runBoth(b.finish(), { w: zero, g: gradient, m: zero, rate: Float32Array.of(1) })
  return next!.map((value) => -value)
}

test('Muon brings the singular values of the direction near 1 [E-26]', async () => {
  const diagonal = new Float32Array(16)
  const sizes = [3, 1, -0.5, 2]
  sizes.forEach((value, i) => {
    diagonal[5 * i] = value
  })
  const seen = await direction(4, 4, diagonal)
  // On a diagonal the quintic acts on each number: the same polynomial in f64.
  const length = Math.sqrt(sizes.reduce((sum, value) => sum + value * value, 0))
  sizes.forEach((value, i) => {
    let x = value / length
    for (let k = 0; k < 5; k++) x *= 3.4445 - 4.775 * x * x + 2.0315 * x * x * x * x
    assert.ok(Math.abs(seen[5 * i]! - x) < 1e-4, `${seen[5 * i]}, expected ${x}`)
    assert.ok(Math.abs(x) > 0.6 && Math.abs(x) < 1.3)
  })
  seen.forEach((value, i) => {
    if (i % 5 !== 0) assert.equal(Math.abs(value), 0)
  })
})

test('Muon treats a tall matrix as the transpose of a wide one, scaled by sqrt(out/in) when out is larger [E-26]', async () => {
  const [rows, columns] = [5, 8]
  const wide = sampleValues(rows * columns, 3, false)
  const tall = wide.map((_, i) => wide[(i % rows) * columns + Math.floor(i / rows)]!)
  const [a, b] = [await direction(rows, columns, wide), await direction(columns, rows, tall)]
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const expected = b[c * rows + r]! * Math.sqrt(columns / rows)
      assert.ok(Math.abs(a[r * columns + c]! - expected) < 1e-5)
    }
  }
})

test('Muon refuses what is no matrix [E-26]', () => {
  const b = new ProgramBuilder()
  const [w, rate] = [b.input('w', [6]), b.input('rate', [1])]
  assert.throws(() => muon(b, 'x', { momentum: 0.9, nesterov: true }, { rate, decay: null }, [w, w, w], [w, w]), {
    code: 'SHAPE',
    message: /takes a matrix, got \[6\]/,
  })
})

test('gradients are scaled down together when their norm is too large, else left alone [E-27]', async () => {
  const clipped = async (most: number): Promise<number[]> => {
    const b = new ProgramBuilder()
    const gradients = [b.input('g0', [1]), b.input('g1', [2, 1])]
    const norm = globalNorm(b, 'norm', gradients)
    b.output('norm', norm)
    const results = clipByNorm(b, 'clip', gradients, norm, most)
    for (const [i, tensor] of results.entries()) b.output(`c${i}`, tensor)
    const run = await runBoth(b.finish(), { g0: Float32Array.of(3), g1: Float32Array.of(0, -4) })
    return [...run.norm!, ...run.c0!, ...run.c1!]
  }
  assert.deepEqual(await clipped(5), [5, 3, 0, -4])
  assert.deepEqual(await clipped(2.5), [5, 1.5, 0, -2])
})

test('parts of a batch are added in order, the total first [E-27]', async () => {
  const b = new ProgramBuilder()
  const [total, g] = [b.input('total', [2]), b.input('g', [2])]
  const [sum] = accumulate(b, 'sum', [total], [g])
  b.output('sum', sum!)
  const run = await runBoth(b.finish(), { total: Float32Array.of(16777216, 1), g: Float32Array.of(1, 2) })
  assert.deepEqual([...run.sum!], [16777216, 3])
})
