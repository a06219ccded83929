import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoJob } from './demoJob.ts'
import { describeDispute } from './describeDispute.ts'
import type { DisputeEvent } from './playDemoDispute.ts'
import { playDemoDispute } from './playDemoDispute.ts'

test('[D-13] the demo dispute ends with one evaluation, and its lines name step, operator, element and terms', async () => {
  const moves: DisputeEvent[] = []
  for await (const move of playDemoDispute()) moves.push(move)
  assert.deepEqual(
    moves.map(({ move }) => move),
    ['StandUp', 'PickStep', 'PickNode', 'PickTraceLeaf', 'PickElement', 'Prove'],
  )
  const lines = describeDispute(moves, demoJob())
  assert.match(lines[1]!, /challenger picks step 5 of 8/)
  assert.match(lines[3]!, /layer1\.mlp\.down \(matmul\), trace leaf \d+ of \d+/)
  assert.match(lines[4]!, /champion +picks element 101, .*, a sum of 48 terms, and shows 48 partial sums/)
  assert.match(lines[5]!, /one term of element 101 .* It wins/)
  assert.equal(describeDispute(moves).length, moves.length)
})
