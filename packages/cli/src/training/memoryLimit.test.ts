import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PotluckError } from '@potluck/protocol'
import { availableBytes, checkMemory, shownBytes } from './memoryLimit.ts'

const need = (batch: number) => ({ planBytes: batch * 1000, otherBytes: 500 })

test('a run that does not fit is refused with the largest batch that does', () => {
  checkMemory(need(8), 8_500, { batch: 8, recompute: false, needOf: need })
  assert.throws(
    () => checkMemory(need(8), 8_499, { batch: 8, recompute: false, needOf: need }),
    (thrown) =>
      thrown instanceof PotluckError &&
      thrown.code === 'OUT_OF_MEMORY' &&
      thrown.message.includes('--batch 4 fits') &&
      thrown.message.includes('--recompute') &&
      thrown.facts.neededBytes === 8_500,
  )
  assert.throws(
    () => checkMemory(need(8), 100, { batch: 8, recompute: true, needOf: need }),
    (thrown) =>
      thrown instanceof PotluckError && !thrown.message.includes('fits') && thrown.message.includes('less data'),
  )
})

test('this machine has some memory, and sizes read as people write them', () => {
  assert.ok(availableBytes() > 1_000_000)
  assert.deepEqual([1_500, 1_048_576, 2 ** 26, 3 * 2 ** 29].map(shownBytes), ['2 KiB', '1.0 MiB', '64 MiB', '1.5 GiB'])
})
