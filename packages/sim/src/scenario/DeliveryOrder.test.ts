import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressUpdate } from '@potluck/learning'
import { bufferedStep } from './bufferedStep.ts'
import { DeliveryReader, type OpenedDelivery, sealDelivery } from './Delivery.ts'
import { DeliveryOrder, type Word } from './DeliveryOrder.ts'

const word = (id: string, base = 0, key = id): Word => ({ id, key, base })
const ids = (order: DeliveryOrder, model: number) => order.stepOf(model)?.map(({ id }) => id)

test('a delivery gets its place with the word of more than two thirds of the keepers, once [S-15]', () => {
  const order = new DeliveryOrder({ size: 2, staleness: 1 }, 3, 4)
  assert.equal(order.attest(0, [word('a'), word('b')]), false)
  assert.equal(order.attest(0, [word('a')]), false)
  assert.equal(order.attest(1, [word('b')]), false)
  assert.equal(order.missingFor(1), 2)
  assert.equal(order.attest(2, [word('b'), word('a')]), true)
  assert.equal(order.placeOf.get('b'), 1)
  assert.ok(order.hasWord(0, 'a') && !order.hasWord(3, 'a'))
  assert.equal(order.stepOf(1), undefined)
  assert.equal(order.attest(3, [word('a'), word('b')]), true)
  assert.deepEqual(ids(order, 1), ['b', 'a'])
  assert.equal(order.filled, 1)
})

test('of two deliveries for one piece at most one gets a place, and none when the keepers are split [S-15]', () => {
  const order = new DeliveryOrder({ size: 9, staleness: 1 }, 1, 4)
  for (const [keeper, first] of ['x', 'y', 'x', 'y'].entries()) {
    order.attest(keeper, [word(first, 0, 'split')])
    // What a keeper says of the other one later counts for nothing.
    order.attest(keeper, [word(first === 'x' ? 'y' : 'x', 0, 'split')])
  }
  assert.equal(order.placeOf.size, 0)
  for (const [keeper, first] of ['p', 'p', 'q', 'p'].entries()) order.attest(keeper, [word(first, 0, 'decided')])
  assert.deepEqual([...order.placeOf], [['p', 1]])
})

test('what is too old when its turn comes counts nowhere, and nothing counts behind the last model [S-15] [L-72]', () => {
  const order = new DeliveryOrder({ size: 1, staleness: 1 }, 3, 1)
  order.attest(0, [word('a', 0), word('b', 0), word('c', 0), word('d', 2)])
  order.attest(0, [word('e', 3)])
  assert.deepEqual(
    [...order.placeOf],
    [
      ['a', 1],
      ['b', 2],
      ['c', 'stale'],
      ['d', 3],
      ['e', 'behind'],
    ],
  )
  assert.deepEqual([ids(order, 3), ids(order, 4), order.filled], [['d'], undefined, 3])
})

test('a step is the sum of the updates by 1 / sqrt(1 + age) over their number, in their order [S-15] [L-72]', () => {
  const reader = new DeliveryReader(3, { kind: 'f32' })
  const of = (round: number, ...values: number[]): OpenedDelivery => {
    const payload = compressUpdate(Float32Array.from(values), undefined, { kind: 'f32' }).bytes
    const header = { round, base: 'ab'.repeat(32), share: 1, piece: 0, steps: 1, fetchMs: 0, trainMs: 0 }
    const opened = reader.open(sealDelivery({ ...header, payload }, new Uint8Array(32).fill(7)))
    assert.ok(opened.ok)
    return opened.delivery
  }
  // For model 4: trained from model 3, and from model 0, which is three models old.
  const set = [of(4, 1, 2, -4), of(1, 8, 0, 2)]
  assert.deepEqual([...bufferedStep({ size: 2, staleness: 3 }, reader, 4, set)], [2.5, 1, -1.5])
  assert.throws(() => bufferedStep({ size: 2, staleness: 2 }, reader, 4, set), /does not count: .*3 steps old/)
  assert.throws(() => bufferedStep({ size: 3, staleness: 3 }, reader, 4, set), /2 deliveries make no model/)
})
