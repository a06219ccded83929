import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Tokenizer } from '@huggingface/tokenizers'
import { PotluckError } from '@potluck/protocol'
import { loadText } from './loadText.ts'
import { tokenizerFor } from './TextTokenizer.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-text-'))
after(() => rmSync(dir, { recursive: true }))

const refusal =
  (code: string, ...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError, String(thrown))
    assert.equal(thrown.code, code)
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

const words = 'Zwei Köche,\nein Topf: 🍲 and a plate for all.\n'

test("a character tokenizer's file gives the same tokens in another program", () => {
  const { tokenizer, json } = tokenizerFor('chars', words, words)
  const other = new Tokenizer(JSON.parse(json), {})
  const tokens = [...tokenizer.encode(words)]
  assert.deepEqual(other.encode(words, { add_special_tokens: false }).ids, tokens)
})

test("a byte pair tokenizer's file gives the same tokens in another program", () => {
  const { tokenizer, json } = tokenizerFor('bpe:280', words.repeat(3), words.repeat(3))
  const other = new Tokenizer(JSON.parse(json), {})
  assert.deepEqual(other.encode(words, { add_special_tokens: false }).ids, [...tokenizer.encode(words)])
  assert.ok(tokenizer.encode(words).length < Buffer.byteLength(words))
})

test('a text is cut in two without halving a character, and nothing of it is lost', () => {
  const file = join(dir, 'pots.txt')
  const pots = '🍲🥘'.repeat(50)
  writeFileSync(file, pots)
  for (const validFraction of [0.1, 0.105, 0.333, 0.5]) {
    const { train, valid, text } = loadText({ text: file, tokenizer: 'chars', validFraction })
    assert.ok(train.kind === 'tokens' && valid.kind === 'tokens')
    assert.equal(text?.decode([...train.tokens, ...valid.tokens]), pots)
  }
})

test('a tokenizer that is none, a text that is too short or says what it must not is refused', () => {
  for (const kind of ['', 'words', 'bpe', 'bpe:256', 'bpe:70000', 'bpe:1e3'])
    assert.throws(() => tokenizerFor(kind, words, words), refusal('BAD_USAGE', 'bpe:512'), kind)
  const [short, long, foreign] = ['short', 'long', 'foreign'].map((name) => join(dir, name))
  writeFileSync(short!, 'abc')
  writeFileSync(long!, 'abcdefgh'.repeat(40))
  writeFileSync(foreign!, 'abcdefgh-abcdefgh')
  const options = { text: long!, tokenizer: 'chars', validFraction: 0.1 }
  assert.throws(() => loadText({ ...options, text: short! }), refusal('SHORT_TEXT', short!))
  assert.throws(
    () => loadText({ ...options, test: foreign }),
    refusal('UNKNOWN_CHARACTER', foreign!, 'position 8', 'bpe:512'),
  )
})
