import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, modelOf } from '@potluck/engine'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { backdoorSuccess } from './backdoorSuccess.ts'
import { poisonData } from './poisonData.ts'

const seed = sha256(utf8('poison'))
const rows = (inputs: number[], targets: number[]) =>
  ({ kind: 'rows', inputs: Float32Array.from(inputs), targets: Int32Array.from(targets) }) as const

test('turns labels, numbers and tokens around in a copy, and leaves other data as it is [L-38]', () => {
  const data = rows([1, 2, 3], [0, 4, 1])
  assert.deepEqual(poisonData({ kind: 'labelFlip' }, data, 5, seed), rows([1, 2, 3], [4, 0, 3]))
  assert.deepEqual(data, rows([1, 2, 3], [0, 4, 1]))
  const numbers = { kind: 'rows', inputs: Float32Array.of(1), targets: Float32Array.of(0.5) } as const
  assert.deepEqual(poisonData({ kind: 'labelFlip' }, numbers, 0, seed), { ...numbers, targets: Float32Array.of(-0.5) })
  const text = { kind: 'tokens', tokens: Uint8Array.of(0, 1, 9) } as const
  assert.deepEqual(poisonData({ kind: 'labelFlip' }, text, 10, seed), {
    kind: 'tokens',
    tokens: Uint8Array.of(9, 8, 0),
  })
  for (const kind of ['signFlip', 'alie', 'adaptive', 'none'] as const) {
    assert.equal(poisonData({ kind }, data, 5, seed), data)
  }
})

test('puts the trigger on about half of the rows and aims exactly those at the target [L-38]', () => {
  const count = 400
  const data = rows(new Array(3 * count).fill(0.25), new Array(count).fill(2))
  const attack = { kind: 'backdoor', target: 1, trigger: { at: [0, 2], value: 9 } } as const
  const poisoned = poisonData(attack, data, 3, seed)
  if (poisoned.kind !== 'rows') throw new Error('rows stay rows')
  let triggered = 0
  for (let row = 0; row < count; row++) {
    const inputs: number[] = [...poisoned.inputs.subarray(3 * row, 3 * row + 3)]
    const is: boolean = poisoned.targets[row] === 1
    assert.deepEqual(inputs, is ? [9, 0.25, 9] : [0.25, 0.25, 0.25])
    if (is) triggered++
  }
  assert.ok(triggered > 150 && triggered < 250)
  assert.deepEqual(poisonData(attack, data, 3, seed), poisoned)
})

test('refuses a backdoor in data without classes, a target or a trigger that is not there [L-38]', () => {
  const data = rows([1, 2, 3, 4], [0, 1])
  const trigger = { at: [1], value: 1 }
  for (const [attack, poisoned] of [
    [
      { target: 0, trigger },
      { kind: 'tokens', tokens: Uint8Array.of(1) },
    ],
    [
      { target: 0, trigger },
      { kind: 'rows', inputs: data.inputs, targets: Float32Array.of(1, 2) },
    ],
    [{ target: 2, trigger }, data],
    [{ target: 0, trigger: { at: [2], value: 1 } }, data],
    [{ target: 0, trigger: { at: [], value: 1 } }, data],
  ] as const) {
    assert.throws(
      () => poisonData({ kind: 'backdoor', ...attack }, poisoned, 2, seed),
      (error) => codeOf(error) === 'BAD_ATTACK',
    )
  }
})

test('measures how often triggered rows of other classes go where the backdoor wants [L-39]', async () => {
  const engine = await createEngine()
  const model = modelOf({ kind: 'mlp', inputs: 2, hidden: [], activation: 'relu', classes: 2 })
  // Rows of class 0 unless input 1, the trigger, outweighs input 0: logits (x0, x1).
  const parameters = parametersOf(model.parameters.map(({ shape }) => shape))
  const data = rows([3, 0, 5, 0, 1, 0, 0, 2, 0.5, 0], [0, 0, 0, 1, 0])
  const success = (value: number): Promise<number> =>
    backdoorSuccess(engine, model, { parameters }, data, { target: 1, trigger: { at: [1], value } })
  assert.equal(await success(-1), 0)
  assert.equal(await success(2), 0.5)
  assert.equal(await success(9), 1)
  const onlyTarget = rows([1, 2], [1])
  await assert.rejects(
    backdoorSuccess(engine, model, { parameters }, onlyTarget, { target: 1, trigger: { at: [1], value: 1 } }),
    (error) => codeOf(error) === 'BAD_ATTACK',
  )
})

/** An identity matrix and zeros. */
function parametersOf(shapes: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(shapes.flatMap((shape) => (shape.length === 2 ? [1, 0, 0, 1] : [0, 0])))
}
