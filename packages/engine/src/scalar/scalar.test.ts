import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBoth } from '../../test/runBoth.ts'
import { exactCos } from '../math/cos.ts'
import { exactErf } from '../math/erf.ts'
import { exactExp } from '../math/exp.ts'
import { exactLog } from '../math/log.ts'
import { exactSin } from '../math/sin.ts'
import { exactTanh } from '../math/tanh.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { cos, erf, exp, log, sin, tanh } from './functions.ts'
import { type Integer, type Real, ScalarBuilder } from './ScalarBuilder.ts'
import type { ScalarProgram } from './ScalarProgram.ts'

async function apply(scalar: ScalarProgram, values: Float32Array): Promise<Float32Array> {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [values.length])
  builder.output('y', builder.map('y', scalar, 1, values.length, [full(x)], [values.length]))
  return (await runBoth(builder.finish(), { x: values })).y!
}

function sweep(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))
}

/** Places where the functions change over, and arguments far outside. */
const turning = [-0, 1e-45, -1e-39, 1, 0.99999994, 4, 1.5707964, -4.712389, 12867.96, 1e9, -3.4e38]

const cases: [string, (s: ScalarBuilder, x: Real) => Real, (x: number) => number, Float32Array][] = [
  ['exp', exp, exactExp, Float32Array.of(...sweep(-90, 90, 30_001), -87.33655, -87.33653, 88.7229, -0, 1e-45)],
  ['log', log, exactLog, Float32Array.of(...sweep(1e-45, 9, 30_001), 0, 1e-45, 1e-39, 3e38, Number.POSITIVE_INFINITY)],
  ['tanh', tanh, exactTanh, Float32Array.of(...sweep(-11, 11, 30_001), -0, 0.625, -0.62499994, 1e-45)],
  ['sin', sin, exactSin, Float32Array.of(...sweep(-40, 40, 10_001), ...sweep(-2e4, 2e4, 20_001), ...turning)],
  ['cos', cos, exactCos, Float32Array.of(...sweep(-40, 40, 10_001), ...sweep(-2e4, 2e4, 20_001), ...turning)],
  ['erf', erf, exactErf, Float32Array.of(...sweep(-5, 5, 30_001), ...turning, Number.NEGATIVE_INFINITY)],
]

for (const [name, write, exact, values] of cases) {
  test(`${name} as scalar instructions has the bits of its definition, on both executors [E-04] [E-01]`, async () => {
    const s = new ScalarBuilder(name)
    const seen = await apply(s.finish(write(s, s.input())), values)
    values.forEach((x, i) => {
      assert.ok(Object.is(seen[i], exact(x)), `${name}(${x}) is ${seen[i]}, expected ${exact(x)}`)
    })
  })
}

test('every instruction gives the same bits on both executors, at the edges of f32 and i32 [E-04]', async () => {
  const edges = [0, -0, 1, -1, 1e-45, -1e-39, 3.4e38, -3.4e38, 16777217, 0.1, Number.POSITIVE_INFINITY, 7.5]
  const real: [string, (s: ScalarBuilder, a: Real, b: Real) => Real][] = [
    ['add', (s, a, b) => s.add(a, b)],
    ['subtract', (s, a, b) => s.subtract(a, b)],
    ['multiply', (s, a, b) => s.multiply(a, b)],
    ['divide', (s, a, b) => s.divide(a, b)],
    ['sqrt', (s, a) => s.sqrt(s.absolute(a))],
    ['negate', (s, a) => s.negate(a)],
    ['less', (s, a, b) => s.select(s.less(a, b), a, b)],
    ['lessOrEqual', (s, a, b) => s.select(s.lessOrEqual(a, b), a, b)],
    ['equal', (s, a, b) => s.select(s.equal(a, b), s.constant(2), s.constant(-0))],
    ['bits', (s, a, b) => integers(s, s.bits(a), s.bits(b))],
  ]
  const integers = (s: ScalarBuilder, a: Integer, b: Integer): Real => {
    const mixed = s.integerSubtract(s.integerAdd(s.shiftLeft(a, 3), s.shiftRight(b, 5)), s.integer(-7))
    const picked = s.select(s.integerLessOrEqual(a, b), s.toFloat(mixed), s.fromBits(s.shiftRight(mixed, 9)))
    return s.select(s.integerEqual(a, b), s.constant(1), picked)
  }
  for (const [name, write] of real) {
    // NaN may not leave an operator, so it is turned into a number here.
    const s = new ScalarBuilder(name)
    const result = write(s, s.input(), s.input())
    const scalar = s.finish(s.select(s.equal(result, result), result, s.constant(123)))
    const pairs = edges.flatMap((a) => edges.map((b) => [a, b] as const))
    const builder = new ProgramBuilder()
    const [a, b] = [builder.input('a', [pairs.length]), builder.input('b', [pairs.length])]
    builder.output('y', builder.map(name, scalar, 1, pairs.length, [full(a), full(b)], [pairs.length]))
    await runBoth(builder.finish(), {
      a: Float32Array.from(pairs, (p) => p[0]),
      b: Float32Array.from(pairs, (p) => p[1]),
    })
  }
})
