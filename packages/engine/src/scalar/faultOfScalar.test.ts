import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultOfScalar } from './faultOfScalar.ts'
import type { Instruction, ScalarOperation, ScalarProgram } from './ScalarProgram.ts'

const step = (operation: ScalarOperation, from: number[] = [], immediate = 0): Instruction => ({
  operation,
  arguments: from,
  immediate,
})

/** a + b of an f32 and 3, and the shifted bits of it. */
const sound: ScalarProgram = {
  name: 'sound',
  inputs: ['f32', 'i32'],
  instructions: [
    step('input', [], 0),
    step('constant', [], 3),
    step('add', [0, 1]),
    step('bits', [2]),
    step('shiftLeft', [3], 31),
    step('fromBits', [4]),
    step('less', [0, 5]),
    step('select', [6, 0, 5]),
  ],
  outputs: [7],
}

const cases: readonly [string, RegExp, number, Instruction][] = [
  ['an unknown instruction', /2 \(fuse\): there is no such/, 2, step(JSON.parse('"fuse"'), [0, 1])],
  ['the name of an object method', /2 \(toString\): there is no such/, 2, step(JSON.parse('"toString"'), [0, 1])],
  ['a register read before it is written', /reads register 2, which/, 2, step('add', [0, 2])],
  ['a negative register', /reads register -1/, 2, step('add', [0, -1])],
  ['too few arguments', /takes \(f32, f32\), got \(f32\)/, 2, step('add', [0])],
  ['a constant with arguments', /takes \(\), got \(f32\)/, 1, step('constant', [0], 3)],
  ['an integer used as a number', /takes \(f32, f32\), got \(f32, i32\)/, 6, step('less', [0, 4])],
  ['a number used as a mask', /takes \(mask, f32, f32\)/, 7, step('select', [5, 0, 5])],
  ['a mask as its output', /output register 7 is not/, 7, step('equal', [0, 5])],
  ['a constant that is no f32', /0\.1 is no f32/, 1, step('constant', [], 0.1)],
  ['a constant that is no number', /NaN is no f32/, 1, step('constant', [], Number.NaN)],
  ['an integer beyond 32 bits', /4294967296 is no i32/, 3, step('integer', [], 4294967296)],
  ['a shift by 32', /immediate 32, expected 0 to 31/, 4, step('shiftLeft', [3], 32)],
  ['a stray immediate', /immediate 1, expected 0 to 0/, 2, step('add', [0, 1], 1)],
  ['an input number that is not there', /there is no input 2/, 0, step('input', [], 2)],
]

test('a scalar program in order has no fault [E-04] [E-28]', () => {
  assert.equal(faultOfScalar(sound), null)
})

for (const [what, message, place, instruction] of cases) {
  test(`a scalar program with ${what} is refused [E-28]`, () => {
    const instructions = sound.instructions.map((old, i) => (i === place ? instruction : old))
    assert.match(faultOfScalar({ ...sound, instructions }) ?? '', message)
  })
}

test('a scalar program has at most 255 registers and at least one output, all of them written [E-28]', () => {
  const long = Array.from({ length: 256 }, () => step('constant', [], 1))
  assert.match(faultOfScalar({ ...sound, instructions: long }) ?? '', /256 instructions, at most 255/)
  assert.equal(faultOfScalar({ ...sound, instructions: long.slice(1) }), null)
  assert.match(faultOfScalar({ ...sound, outputs: [8] }) ?? '', /output register 8/)
  assert.match(faultOfScalar({ ...sound, outputs: [] }) ?? '', /has no output/)
})
