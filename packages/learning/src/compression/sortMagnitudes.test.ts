import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { sortingRoom, sortMagnitudes } from './sortMagnitudes.ts'
import { testTensors } from './testTensors.ts'

test('magnitudes come out as sorting the numbers gives them, the room used again and again', () => {
  const room = sortingRoom(4096)
  const random = new RandomStream(utf8('sort magnitudes'), 96, 0)
  const drawn = [1, 2, 3, 100, 4095, 4096].map((length) =>
    Float32Array.from({ length }, (_, i) => random.normal(i) * (i % 7 === 0 ? 1e-30 : 1)),
  )
  const odd = [...testTensors.values()].filter((values) => values.length > 0).map((values) => values.slice(0, 4096))
  for (const values of [...drawn, ...odd]) {
    const expected = values.map(Math.abs).sort().reverse()
    assert.deepEqual(sortMagnitudes(values, room), expected)
  }
})
