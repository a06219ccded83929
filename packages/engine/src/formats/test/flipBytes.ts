import assert from 'node:assert/strict'
import { PotluckError } from '@potluck/protocol'

/**
 * Damages a file in many ways, the same ones every time, and holds that reading it gives a result or a PotluckError:
 * one to four bytes changed (half of them to an extreme), or the file cut short.
 */
export function flipBytes(file: Uint8Array, rounds: number, read: (damaged: Uint8Array) => unknown): void {
  let state = 1
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(((state >>> 8) / 0x1000000) * limit)
  }
  let refused = 0
  for (let round = 0; round < rounds; round++) {
    const damaged = file.slice(0, below(4) === 0 ? below(file.length) : file.length)
    // Most of the damage goes to the front, where the header is.
    const reach = below(2) === 0 ? Math.min(damaged.length, 400) : damaged.length
    for (let flips = 1 + below(4); flips > 0 && reach > 0; flips--) {
      damaged[below(reach)] = below(2) === 0 ? below(256) : [0, 255, 127, 128][below(4)]!
    }
    try {
      read(damaged)
    } catch (error) {
      assert.ok(error instanceof PotluckError, `round ${round}: ${error instanceof Error ? error.stack : error}`)
      refused++
    }
  }
  assert.ok(refused > rounds / 4, `only ${refused} of ${rounds} damaged files were refused`)
}
