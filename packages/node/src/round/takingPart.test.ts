import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '@potluck/protocol'
import { takingPart } from './takingPart.ts'

const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const claim = (share: number, i: number) => ({ share, worker: node(i) })

test('leaves out convicted workers, shares the job does not have, and a second claim for a share [P-51]', () => {
  const claims = [claim(0, 0), claim(1, 1), claim(1, 2), claim(1, 3), claim(2, 0), claim(3, 2)]
  assert.deepEqual(takingPart(claims, new Set(), 3), [true, true, false, false, true, false])
  // A claim that is out itself takes no share from a later one.
  assert.deepEqual(takingPart(claims, new Set([node(1)]), 3), [true, false, true, false, true, false])
  const onlyThird = [false, false, false, true, false, false]
  assert.deepEqual(takingPart(claims, new Set([node(0), node(1), node(2)]), 3), onlyThird)
  assert.deepEqual(takingPart([], new Set(), 3), [])
})
