import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallRecipe } from '../check/engineVectors.ts'
import { trainingProgram } from '../model/languagePrograms.ts'
import { planMemory } from '../program/memoryPlan.ts'
import { sizeOf, tensorsRead } from '../program/Program.ts'
import { signed, unsigned } from './bytes.ts'
import { simd } from './opcodes.ts'

test('no instruction of relaxed SIMD is in the table: those begin at 0x100 [E-03]', () => {
  for (const [name, code] of Object.entries(simd)) assert.ok(code < 0x100, name)
})

test('LEB128 has the bytes of the specification', () => {
  assert.deepEqual(unsigned(0), [0])
  assert.deepEqual(unsigned(624485), [0xe5, 0x8e, 0x26])
  assert.deepEqual(unsigned(4294967295), [0xff, 0xff, 0xff, 0xff, 0x0f])
  assert.deepEqual(signed(-123456), [0xc0, 0xbb, 0x78])
  assert.deepEqual(signed(64), [0xc0, 0x00])
  assert.deepEqual(signed(-64), [0x40])
  assert.deepEqual(signed(2147483647), [0xff, 0xff, 0xff, 0xff, 0x07])
})

test('tensors that live at the same time never share memory, and the others do', () => {
  const program = trainingProgram(smallRecipe.config, smallRecipe.batch, smallRecipe)
  const { addresses, peakBytes } = planMemory(program, 1024)
  const holder = new Map<number, number>() // word → tensor written there last
  const spanOf = (id: number): number[] =>
    Array.from({ length: sizeOf(program.tensors[id]!) }, (_, i) => addresses[id]! / 4 + i)
  const baseOf = (id: number): number => program.tensors[id]!.view?.base ?? id
  for (const id of Object.values(program.inputs)) for (const word of spanOf(id)) holder.set(word, id)
  for (const operation of program.operations) {
    for (const id of tensorsRead(operation)) {
      for (const word of spanOf(id))
        assert.equal(holder.get(word), baseOf(id), `${operation.label} reads a lost tensor`)
    }
    for (const id of operation.outputs) for (const word of spanOf(id)) holder.set(word, baseOf(id))
  }
  const total = program.tensors.reduce((sum, tensor) => sum + (tensor.view ? 0 : 4 * sizeOf(tensor)), 0)
  assert.ok(peakBytes < 0.6 * total, `${peakBytes} of ${total} bytes`)
})
