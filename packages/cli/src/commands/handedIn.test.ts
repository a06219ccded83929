import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handedInLines, updatesHandedIn } from './handedIn.ts'

const of = (round: number, share: number, bytes: number) => ({ worker: '0x11', round, share, bytes })

test('the bytes of updates are told by round, one size where all are equal', () => {
  const all = [of(1, 0, 54_889), of(0, 0, 54_889), of(0, 1, 54_889), of(1, 1, 60_000)]
  assert.deepEqual(handedInLines(all), ['updates   round 1: 2 of 54,889 bytes; round 2: 2 of 54,889 to 60,000 bytes'])
  assert.deepEqual(handedInLines([]), [])
})

test('workers that are down say nothing, the rest is told all the same', async () => {
  const down = { name: 'w', roles: 1, node: '0x11', key: '0x12', httpPort: 1, p2pPort: 1, servicePort: 1 } as const
  assert.deepEqual(await updatesHandedIn({ participants: [down] }, 1), [])
})
