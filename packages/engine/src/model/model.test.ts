import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialParameters } from './initialParameters.ts'
import { checkConfig, type LanguageConfig } from './LanguageConfig.ts'
import { parameterCount, parameterLayout } from './parameterLayout.ts'
import { decodeTokens, encodeText, vocabularyOf } from './text.ts'

const config: LanguageConfig = { vocabulary: ' abc', context: 8, width: 6, layers: 2, heads: 3, hidden: 10 }

test('the vocabulary of a text is sorted by code point, not by UTF-16 unit or locale', () => {
  assert.equal(vocabularyOf('bé\u{1F372}aaZ\uFFFD b'), ' Zabé\uFFFD\u{1F372}')
})

test('text survives encoding and decoding, characters beyond 16 bits included', () => {
  const vocabulary = vocabularyOf('a \u{1F372}b')
  const tokens = encodeText({ vocabulary }, 'a \u{1F372}\u{1F372}b')
  assert.deepEqual([...tokens], [1, 0, 3, 3, 2])
  assert.equal(decodeTokens({ ...config, vocabulary }, tokens), 'a \u{1F372}\u{1F372}b')
})

test('an unknown character is refused with its place, or dropped on request', () => {
  assert.throws(() => encodeText(config, 'ab\u{1F372}d'), { code: 'UNKNOWN_CHARACTER', message: /position 2/ })
  assert.deepEqual([...encodeText(config, 'ab\u{1F372}dc', 'drop')], [1, 2, 3])
  assert.throws(() => decodeTokens(config, [0, 4]), { code: 'BAD_TOKEN', message: /token 4 at position 1/ })
})

test('the parameters lie one after the other without gap', () => {
  let next = 0
  for (const { name, offset, size, shape } of parameterLayout(config)) {
    assert.equal(offset, next, name)
    assert.equal(
      size,
      shape.reduce((product, extent) => product * extent, 1),
    )
    next += size
  }
  assert.equal(parameterCount(config), next)
  // By hand: tables (4 + 8)·6, layers 2·(2·6 + 4·36 + 2·60), final gain 6, head 6·4.
  assert.equal(next, 72 + 2 * 276 + 6 + 24)
})

test('the untrained model is a function of the seed, with the stated spread [E-14]', () => {
  const large = { ...config, width: 48, hidden: 96 }
  const [a, b] = [initialParameters(large, new Uint8Array(32)), initialParameters(large, new Uint8Array(32))]
  assert.deepEqual(a, b)
  assert.notDeepEqual(a, initialParameters(large, new Uint8Array(31)))
  for (const { name, offset, size, start } of parameterLayout(large)) {
    const values = a.subarray(offset, offset + size)
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / size)
    const expected = start === 'one' ? 1 : start
    assert.ok(Math.abs(deviation - expected) <= 0.1 * expected, `${name}: ${deviation}, expected ${expected}`)
  }
})

test('a config that cannot be built is refused with field and value', () => {
  for (const [change, message] of [
    [{ width: 7 }, /width 7 must be a multiple of heads 3/],
    [{ layers: 0 }, /layers must be whole and at least 1, got 0/],
    [{ context: 1.5 }, /context .* got 1\.5/],
    [{ vocabulary: 'aba' }, /got 3, 2 of them distinct/],
    [{ vocabulary: '' }, /1 to 256 characters/],
  ] as const) {
    assert.throws(() => checkConfig({ ...config, ...change }), { code: 'BAD_CONFIG', message })
  }
})
