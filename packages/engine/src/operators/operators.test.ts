import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBoth } from '../../test/runBoth.ts'
import { operatorCases, writeCase } from '../check/operatorCases.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { referenceExecution } from '../reference/referenceExecution.ts'
import { causalSoftmax } from './causalSoftmax.ts'
import { linear } from './matmul.ts'
import { product } from './scalar.ts'
import { Tape } from './Tape.ts'

for (const item of operatorCases) {
  test(`${item.name}: value and gradients have equal bits on both executors [E-02] [E-10] [E-11] [E-12]`, async () => {
    for (const edged of [false, true]) {
      const { program, inputs } = writeCase(item, edged)
      await runBoth(program, inputs)
    }
  })

  test(`${item.name}: gradients match finite differences [E-13]`, () => {
    const { program, inputs } = writeCase(item, false)
    const execution = referenceExecution(program)
    const lossAt = (): number => {
      execution.run()
      const y = execution.read('y')
      return y.reduce((sum, value, i) => sum + value * inputs.probe![i]!, 0)
    }
    for (const [name, values] of Object.entries(inputs)) execution.write(name, values)
    execution.run()
    for (const [name, values] of Object.entries(inputs)) {
      if (!(values instanceof Float32Array) || program.outputs[`gradient.${name}`] === undefined) continue
      const gradient = execution.read(`gradient.${name}`)
      for (let i = 0; i < values.length; i += Math.max(1, Math.floor(values.length / 12))) {
        const difference = [0.01, -0.01].map((delta) => {
          const moved = values.slice()
          moved[i]! += delta
          execution.write(name, moved)
          return lossAt()
        })
        execution.write(name, values)
        execution.run()
        const slope = (difference[0]! - difference[1]!) / 0.02
        const tolerance = 2e-3 + 5e-3 * Math.abs(slope)
        assert.ok(Math.abs(slope - gradient[i]!) < tolerance, `${name}[${i}]: ${gradient[i]}, measured ${slope}`)
      }
    }
  })
}

test('a product sums over k from left to right, each product rounded first [E-10]', async () => {
  // 2^24 + 1 is not an f32: added one by one the two ones vanish, added first they would count.
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const [x, w] = [builder.input('x', [1, 3]), builder.input('w', [3, 1])]
  builder.output('y', linear(tape, 'y', x, w))
  const run = async (values: number[]): Promise<number> =>
    (await runBoth(builder.finish(), { x: Float32Array.from(values), w: Float32Array.of(1, 1, 1) })).y![0]!
  assert.equal(await run([16777216, 1, 1]), 16777216)
  assert.equal(await run([1, 1, 16777216]), 16777218)
})

test('a row sum keeps eight strided partials and adds them in the stated tree [E-11]', async () => {
  const builder = new ProgramBuilder()
  const [a, b] = [builder.input('a', [1, 17]), builder.input('b', [1, 17])]
  builder.output('y', builder.reduce('rowSum', 'sum', product, 1, 17, [full(a), full(b)]))
  const values = new Float32Array(17)
  values[0] = 16777216
  values[8] = 1 // partial 0: 2^24 + 1 rounds back to 2^24
  values[4] = 1 // partial 4 joins partial 0 first and is lost too
  values[1] = 1
  values[9] = 1 // partial 1 is 2: it counts
  const { y } = await runBoth(builder.finish(), { a: values, b: new Float32Array(17).fill(1) })
  assert.equal(y![0], 16777218)
})

test('rows with one index are added in ascending order [E-12]', async () => {
  const builder = new ProgramBuilder()
  const [x, index] = [builder.input('x', [3, 1]), builder.input('index', [3], 'i32')]
  builder.output('y', builder.scatterAddRows('y', x, index, 2))
  const run = async (values: number[]): Promise<number[]> => [
    ...(await runBoth(builder.finish(), { x: Float32Array.from(values), index: Int32Array.of(1, 1, 1) })).y!,
  ]
  assert.deepEqual(await run([1, 1, 16777216]), [0, 16777218])
  assert.deepEqual(await run([16777216, 1, 1]), [0, 16777216])
})

test('softmax gives no weight to the future and rows that sum to 1 [E-11]', async () => {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [3, 3])
  builder.output('y', causalSoftmax(new Tape(builder), 'y', x, 1))
  const { y } = await runBoth(builder.finish(), { x: Float32Array.of(5, 90, 90, 1, 1, 90, 0, 0, 0) })
  assert.deepEqual([...y!], [1, 0, 0, 0.5, 0.5, 0, ...new Array(3).fill(Math.fround(1 / 3))])
})
