import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine } from '../createEngine.ts'
import { linear } from '../operators/matmul.ts'
import { product } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import type { Program } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { compileProgram } from './compileProgram.ts'
import { predictMemory } from './predictMemory.ts'

function chain(size: number): Program {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [size])
  let y = x
  for (let i = 0; i < 6; i++) y = builder.map('square', product, 1, size, [full(y), full(y)], [size])
  builder.output('y', y)
  return builder.finish()
}

test('the memory of a program is known before it runs: what is kept, and places used again', async () => {
  const program = chain(1000)
  const predicted = predictMemory(program)
  assert.equal(predicted.peakBytes, (await compileProgram(program)).plan.peakBytes)
  // x and y keep their places; the five values between them share theirs.
  assert.equal(predicted.keptBytes, 8000)
  assert.ok(predicted.peakBytes >= 12_000 && predicted.peakBytes <= 16_000, `${predicted.peakBytes} bytes`)
  assert.equal(predictMemory(program, { keepAll: true }).peakBytes, 28_000)
})

test('each thread adds the scratch memory of the largest kernel', () => {
  const builder = new ProgramBuilder()
  const [x, w] = [builder.input('x', [12, 32]), builder.input('w', [32, 16])]
  builder.output('y', linear(new Tape(builder), 'y', x, w))
  const [one, three] = [1, 3].map((threads) => predictMemory(builder.finish(), { threads }))
  assert.ok(one!.scratchBytes >= 4 * 8 * 32)
  assert.equal(three!.scratchBytes, 3 * one!.scratchBytes)
  assert.equal(three!.peakBytes - one!.peakBytes, 2 * one!.scratchBytes)
})

test('a program above the stated limit, or above what 32 bits reach, is refused before anything is made', async () => {
  const { peakBytes } = predictMemory(chain(1000))
  const limitBytes = peakBytes - 1
  await assert.rejects((await createEngine({ memoryLimitBytes: limitBytes })).prepare(chain(1000)), {
    code: 'OUT_OF_MEMORY',
    facts: { peakBytes, limitBytes },
    message: /smaller batch/,
  })
  await (await createEngine({ memoryLimitBytes: peakBytes })).prepare(chain(1000))
  const large = chain(600_000_000)
  await assert.rejects((await createEngine({ memoryLimitBytes: 1e12 })).prepare(large), {
    code: 'OUT_OF_MEMORY',
    facts: { peakBytes: predictMemory(large).peakBytes, limitBytes: 4_294_967_296 },
  })
})
