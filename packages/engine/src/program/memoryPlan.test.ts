import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBoth } from '../../test/runBoth.ts'
import { adamW } from '../operators/adamW.ts'
import { plainProduct } from '../operators/matmul.ts'
import { muon } from '../operators/muon.ts'
import { addition, identity, product, scalar, square, type Two } from '../operators/scalar.ts'
import { sgd } from '../operators/sgd.ts'
import { type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import { carriesInPlace } from './carriesInPlace.ts'
import { FreePlaces } from './FreePlaces.ts'
import { planMemory } from './memoryPlan.ts'
import { type Program, sizeOf, type Tensor } from './Program.ts'
import { column, full, ProgramBuilder, swapped } from './ProgramBuilder.ts'

test('memory is handed out from the first gap that is large enough, and gaps join', () => {
  const places = new FreePlaces(64)
  const [a, b, c, d] = [places.take(16), places.take(32), places.take(16), places.take(16)]
  assert.deepEqual([a, b, c, d], [64, 80, 112, 128])
  places.give(b, 32)
  places.give(d, 16)
  assert.equal(places.take(48), 128, 'the gap at the end grows')
  assert.equal(places.end, 176)
  assert.equal(places.take(16), 80)
  places.give(80, 16)
  places.give(c, 16)
  places.give(a, 16)
  assert.equal(places.take(64), 64, 'three neighbours have become one gap')
  assert.equal(places.end, 176)
})

test('a map writes over what nobody reads after it, other operations use the place of what is no longer read', () => {
  const sums = new ProgramBuilder()
  let y = sums.input('x', [8, 8])
  for (let i = 0; i < 20; i++) y = sums.matmul(`y${i}`, plainProduct(8, 8, 8), y, y, [8, 8])
  sums.output('y', y)
  // The input, the output and two that take turns.
  assert.equal(planMemory(sums.finish(), 0).peakBytes, 4 * 256)
  const builder = new ProgramBuilder()
  let x = builder.input('x', [64])
  for (let i = 0; i < 20; i++) x = builder.map(`y${i}`, square, 1, 64, [full(x)], [64])
  builder.output('y', x)
  const program = builder.finish()
  // The input, the output, and one place that every square is computed in.
  assert.equal(planMemory(program, 0).peakBytes, 3 * 256)
  assert.equal(planMemory(program, 0, true).peakBytes, 21 * 256)
  assert.equal(planMemory(program, 512).addresses[0], 512)
})

/** A program with inputs w, g, m of 8 elements, whose successors `write` makes. */
function step(write: (b: ProgramBuilder, w: Tensor, next: Tensor, others: readonly Tensor[]) => void): Program {
  const builder = new ProgramBuilder()
  const [w, g, m] = [builder.input('w', [2, 4]), builder.input('g', [2, 4]), builder.input('m', [2, 4])]
  const next = builder.tensor('next', [2, 4])
  write(builder, w, next, [g, m])
  builder.carry(next, w)
  return builder.finish()
}
const isInPlace = (program: Program): boolean => {
  const { addresses } = planMemory(program, 0)
  const { from, to } = program.carries[0]!
  assert.equal(addresses[from] === addresses[to], carriesInPlace(program).has(from))
  return addresses[from] === addresses[to]
}

test('what replaces an input lies in its place when each element is read for the last time as it is written [E-29]', () => {
  assert.ok(isInPlace(step((b, w, next, [g]) => b.mapInto('next', addition, 1, 8, [full(w), full(g!)], [next]))))
  assert.ok(
    isInPlace(
      step((b, w, next, [g]) => {
        const sum = b.map('sum', addition, 1, 8, [full(w), full(g!)], [8])
        b.mapInto('next', identity, 1, 8, [full(sum)], [next])
      }),
    ),
  )
})

test('it does not when an element is read later, or as another one, or must stay readable [E-29]', () => {
  const apart: Record<string, Program> = {
    'read by a later operation': step((b, w, next, [g]) => {
      b.mapInto('next', addition, 1, 8, [full(w), full(g!)], [next])
      b.output('late', b.map('late', square, 1, 8, [full(w)], [8]))
    }),
    'read at its neighbour': step((b, w, next) => b.mapInto('next', addition, 2, 4, [full(w), swapped(w)], [next])),
    'read in every row': step((b, w, next, [g]) => {
      const first = b.view('first', w, 0, [4])
      b.mapInto('next', addition, 2, 4, [full(g!), column(first)], [next])
    }),
    'read at another offset': step((b, w, next) => {
      const parts = [w, next].map(
        (of) => [b.view(`${of.name}0`, of, 0, [4]), b.view(`${of.name}1`, of, 4, [4])] as const,
      )
      b.mapInto('low', identity, 1, 4, [full(parts[0]![1])], [parts[1]![0]])
      b.mapInto('high', identity, 1, 4, [full(parts[0]![0])], [parts[1]![1]])
    }),
    'used after its successor is computed': step((b, w, next) => {
      const s = new ScalarBuilder('late')
      const x: Real = s.input()
      const doubled = s.add(x, x)
      const other = b.tensor('other', [2, 4])
      b.mapInto('next', s.finish(doubled, s.multiply(doubled, x)), 1, 8, [full(w)], [next, other])
      b.output('other', other)
    }),
    'an output under a name of its own': step((b, w, next, [g]) => {
      b.mapInto('next', addition, 1, 8, [full(w), full(g!)], [next])
      b.output('next', next)
    }),
  }
  for (const [what, program] of Object.entries(apart)) assert.ok(!isInPlace(program), what)
  const sum = step((b, w, next, [g]) => b.mapInto('next', addition, 1, 8, [full(w), full(g!)], [next]))
  const { addresses } = planMemory(sum, 0, true)
  assert.notEqual(addresses[sum.carries[0]!.from], addresses[sum.carries[0]!.to], 'all tensors are kept')
})

test('each optimiser works in place, view by view, and gives the same bits [E-16] [E-26] [E-29]', async () => {
  const builder = new ProgramBuilder()
  const size = 24
  const part = (name: string): { now: Tensor[]; next: Tensor[] } => {
    const [flat, after] = [builder.input(name, [3 * size]), builder.tensor(`${name}.next`, [3 * size])]
    builder.carry(after, flat)
    const views = (of: Tensor): Tensor[] => [0, 1, 2].map((i) => builder.view(`${of.name}${i}`, of, i * size, [4, 6]))
    return { now: views(flat), next: views(after) }
  }
  const [w, m, v] = [part('w'), part('m'), part('v')]
  const rate = builder.input('rate', [1])
  const gradients = w.now.map((tensor, i) =>
    builder.map(`g${i}`, shrink, 1, size, [full(tensor), full(tensor)], [4, 6]),
  )
  const rates = { rate, decay: rate, correction1: rate, correction2: rate }
  const at = <T>(items: readonly T[], i: number): T => items[i] as T
  const two = (i: number) => [at(w.next, i), at(m.next, i)] as const
  const three = (i: number) => [at(w.now, i), at(gradients, i), at(m.now, i)] as const
  adamW(
    builder,
    'a',
    { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 },
    rates,
    [...three(0), at(v.now, 0)],
    [...two(0), at(v.next, 0)],
  )
  sgd(builder, 's', { momentum: 0.9, nesterov: true }, rates, three(1), two(1))
  muon(builder, 'm', { momentum: 0.9, nesterov: true }, rates, three(2), two(2))
  for (const i of [1, 2]) builder.mapInto(`v${i}`, identity, 1, size, [full(at(v.now, i))], [at(v.next, i)])
  const program = builder.finish()
  // `identity` gives its input itself: that one stays apart.
  assert.equal(carriesInPlace(program).size, 2)
  const values = (spread: number): Float32Array =>
    Float32Array.from({ length: 3 * size }, (_, i) => spread * ((i % 7) - 2.5))
  const run = async (keepAll: boolean): Promise<Record<string, Float32Array>> => {
    const inputs = { w: values(0.3), m: values(0.1), v: values(0).fill(0.5), rate: Float32Array.of(0.1) }
    return runBoth(withOutputs(program, keepAll), inputs)
  }
  const [shared, apart] = [await run(false), await run(true)]
  assert.deepEqual(shared.sum, apart.sum)
})

const shrink = scalar<Two>('shrink', 2, (s, [a, b]) => s.subtract(a, s.multiply(s.constant(0.25), b)))

/** The program with a sum over the new weights; with `apart` they are an output, too, and so lie apart from the old. */
function withOutputs(program: Program, apart: boolean): Program {
  const next = program.carries[0]!.from
  const sum: Tensor = { id: program.tensors.length, name: 'sum', type: 'f32', shape: [1], view: null }
  return {
    ...program,
    tensors: [...program.tensors, sum],
    operations: [
      ...program.operations,
      {
        kind: 'rowSum',
        label: 'sum',
        scalar: product,
        rows: 1,
        columns: sizeOf(program.tensors[next]!),
        operands: [
          { from: 'full', tensor: next },
          { from: 'full', tensor: next },
        ],
        outputs: [sum.id],
      },
    ],
    outputs: { sum: sum.id, ...(apart ? { next } : {}) },
  }
}

test('placing ten thousand tensors takes few looks at each', () => {
  const builder = new ProgramBuilder()
  let x = builder.input('x', [4])
  const early: Tensor[] = []
  for (let i = 0; i < 5000; i++) {
    x = builder.map(`forward${i}`, square, 1, 4, [full(x)], [4])
    early.push(x)
  }
  for (const tensor of early.reverse()) x = builder.map('backward', addition, 1, 4, [full(x), full(tensor)], [4])
  builder.output('y', x)
  const { peakBytes } = planMemory(builder.finish(), 0)
  assert.ok(peakBytes <= 5004 * 16)
})
