import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBooks, runLoop } from './runLoop.ts'

/** One process of each kind, each in the stage where it matters most. The whole matrix is run by scripts/killMatrix.ts. */
const pairs = [
  'cleveland@heart',
  'validator-1@language',
  'archive@language',
  'gateway@calls',
  'ledger@settle',
  'postgres@settle',
]

test(`the loop still closes and reconciles when processes are killed in mid-stage: ${pairs.join(', ')}`, async () => {
  const { report, output } = await runLoop('--rounds', '3', '--kill', pairs.join(','))
  for (const pair of pairs) assert.match(output, new RegExp(`drill: ${pair.split('@')[0]} \\(pid \\d+\\) gets SIGKILL`))
  assert.ok(report.heart.federated.mean >= 0.78, `heart mean ${report.heart.federated.mean}`)
  assert.ok(report.language.lastLoss < report.language.firstLoss - 1, `last loss ${report.language.lastLoss}`)
  assert.equal(report.calls.count, 7)
  checkBooks(report)
})
