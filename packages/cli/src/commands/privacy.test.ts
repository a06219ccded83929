import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privacyEpsilon, privacySigma } from './privacy.ts'
import { failureChance, positiveNumber, privacyCommand, samplingRate } from './privacyCommand.ts'

type Value = { rdp: number; pld: number | null; sigma: number; warnings: string[]; meaning: string }

test('the published ε comes out, the tighter bound below it, and both are shown in words [L-53]', () => {
  const { value, lines } = privacyEpsilon({ sigma: 1.5, rate: 0.04, steps: 2250, delta: 1e-5, members: 1_000 })
  const { rdp, pld } = value as Value
  assert.ok(Math.abs(rdp - 7.32911117143) < 1e-6)
  assert.ok(pld !== null && pld < rdp && pld > 6.76)
  assert.match(lines.join('\n'), /PLD\): 6\.7[67]/)
  assert.match(lines.join('\n'), /RDP, order 3\.9\): 7\.3292/)
  assert.match(lines.join('\n'), /multiply its odds/)
  assert.match(lines.join('\n'), /weak/)
})

test('the noise for an ε gives that ε back', () => {
  const { value } = privacySigma({ epsilon: 2, rate: 0.05, steps: 200, delta: 1e-6 })
  const { sigma, rdp, pld } = value as Value
  assert.equal(sigma, pld)
  assert.ok(sigma < rdp)
  const back = privacyEpsilon({ sigma, rate: 0.05, steps: 200, delta: 1e-6 }).value as Value
  assert.ok(back.pld !== null && back.pld <= 2 && back.pld > 1.9999)
})

test('a δ below what the transform can resolve leaves the RDP bound', () => {
  const { value, lines } = privacyEpsilon({ sigma: 1, rate: 0.01, steps: 100_000, delta: 1e-14 })
  assert.equal((value as Value).pld, null)
  assert.ok((value as Value).rdp > 0)
  assert.match(lines[0] ?? '', /below its rounding/)
})

test('bad numbers get one sentence that says what to write', () => {
  assert.equal(samplingRate('256/60000'), 256 / 60_000)
  assert.equal(positiveNumber(10)('1e-3'), 0.001)
  for (const text of ['0', '2', '-0.1', 'x', '1/0', '0/5', '', 'NaN', '1e999']) {
    assert.throws(() => samplingRate(text), /such as 0\.01 or 256\/60000/, text)
  }
  for (const text of ['0', '1', 'Infinity', '0x1']) assert.throws(() => failureChance(text), /below 1, such as 1e-5/)
  for (const text of ['0', '-1', '11', 'ten']) assert.throws(() => positiveNumber(10)(text), /up to 10/)
})

test('the command names its options', () => {
  const group = privacyCommand()
  assert.deepEqual(
    group.commands.map((command) => command.name()),
    ['epsilon', 'sigma'],
  )
  const flags = group.commands[0]?.options.map(({ long }) => long)
  for (const flag of ['--sigma', '--rate', '--steps', '--delta', '--json']) assert.ok(flags?.includes(flag), flag)
})
