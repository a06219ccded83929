import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBooks, runLoop } from './runLoop.ts'

test('the loop closes on real data: trained, verified, sold, paid, explained, to the unit', async () => {
  const { report, output } = await runLoop()
  const { heart, language, liar, killed, calls, why } = report
  assert.ok(heart.federated.mean >= 0.78, `heart mean ${heart.federated.mean}`)
  assert.ok(heart.federated.pooled >= 0.775, `heart pooled ${heart.federated.pooled}`)
  assert.ok(Math.abs(language.firstLoss - Math.log(65)) < 0.02, `first loss ${language.firstLoss}`)
  assert.ok(language.lastLoss < 2.4, `last loss ${language.lastLoss}`)
  assert.match(liar.claim, /^0x[0-9a-f]{64}$/)
  assert.ok(BigInt(liar.slashed) > 0n, 'the liar is slashed')
  assert.match(killed.reassigned, /^0x[0-9a-f]{40}$/)
  assert.notEqual(killed.reassigned, killed.worker)
  assert.equal(calls.count, 7)
  assert.ok(BigInt(calls.paid) > 0n && /^0x[0-9a-f]{64}$/.test(calls.settledTx))
  assert.equal(why.length, 2)
  assert.match(output, /the books close to the unit/)
  assert.match(output, /round 7: \d claims?, loss [12]\.\d+, [\d,]+ bytes up.*wrote \S+report\.html/s)
  checkBooks(report)
  assert.ok(report.peakPssMb < 3_000, `${report.peakPssMb} MB`)
})
