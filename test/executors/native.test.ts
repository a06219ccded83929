import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createReferenceEngine, type Program } from '@potluck/engine'
import { createNativeEngine, isNativeAvailable, nativeLevels } from '@potluck/runtime'
import { engineVectors } from '../../packages/engine/src/check/engineVectors.ts'
import { operatorCases, writeCase } from '../../packages/engine/src/check/operatorCases.ts'
import { assertSameBits } from '../../packages/engine/test/runBoth.ts'

const skip = isNativeAvailable() ? false : 'the native executor is not built on this machine'
const levels = skip ? [] : nativeLevels()
const golden: Record<string, unknown> = JSON.parse(
  readFileSync(new URL('../../spec/vectors/engine.json', import.meta.url), 'utf8'),
)

test('every operator has the bits of the reference, on each level with 1, 2 and 3 threads [E-02] [E-10] [E-11] [E-12]', {
  skip,
}, async () => {
  const reference = createReferenceEngine()
  for (const item of operatorCases) {
    const { program, inputs } = writeCase(item, true)
    const expected = await reference.prepare(program)
    for (const [name, values] of Object.entries(inputs)) expected.write(name, values)
    expected.run()
    for (const level of levels) {
      for (const threads of [1, 2, 3]) {
        const engine = createNativeEngine({ level, threads })
        const seen = await engine.prepare(program, { keepAll: true })
        for (const [name, values] of Object.entries(inputs)) seen.write(name, values)
        seen.run()
        for (const { id, type, name } of program.tensors) {
          if (type === 'f32' && isUsed(program, id)) {
            const [a, b] = [seen.readTensor(id), expected.readTensor(id)] as [Float32Array, Float32Array]
            assertSameBits(a, b, `${item.name}, ${level}, ${threads} threads: ${name}`)
          }
        }
        await engine.close()
      }
    }
  }
})

test('each level reproduces every committed vector: operators, five training steps, evaluation, generation [E-02] [E-14] [E-15] [E-16] [E-17] [E-18] [E-19]', {
  skip,
}, async () => {
  for (const level of levels) {
    const engine = createNativeEngine({ level, threads: 2 })
    assert.deepEqual(await engineVectors(engine), golden, level)
    await engine.close()
  }
})

/** A tensor that nothing writes has no place of its own. */
const isUsed = (program: Program, id: number): boolean =>
  Object.values(program.inputs).includes(id) ||
  program.operations.some(({ outputs }) => outputs.some((output) => output === id))
