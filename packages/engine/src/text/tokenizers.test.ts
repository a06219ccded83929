import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Tokenizer as RivalTokenizer } from '@huggingface/tokenizers'
import { RandomStream } from '../random/RandomStream.ts'
import { bpeTokenizer } from './bpeTokenizer.ts'
import { byteCharacters } from './byteAlphabet.ts'
import { characterTokenizer } from './characterTokenizer.ts'
import { mergeWord, pairKey } from './mergeWord.ts'
import { readTokenizerJson } from './readTokenizerJson.ts'
import { splitWords } from './splitWords.ts'
import { trainBpe } from './trainBpe.ts'
import { writeTokenizerJson } from './writeTokenizerJson.ts'

const file = new URL('../../../../data/tinyshakespeare/input.txt.gz', import.meta.url)
const plays = gunzipSync(readFileSync(file)).toString('utf8').slice(0, 200_000)
const samples = [
  plays.slice(0, 5000),
  'Crème brûlée, naïve façade — “quotes” … and 東京都の天気 and Ελληνικά',
  'tabs\tand  double   spaces, \r\nWindows lines\r\n\r\n  and\nends  ',
  "I'm sure they'll say we've done it; 'tis he'd, she's. 12345 3.14 x=y+z;{}[]",
  '👩‍👩‍👧‍👦🏳️‍🌈 e\u0301 \u00a0 \u200d zero\u0000byte',
  '\ufeffmark <|end|>after<|end|><|e|> <|end|',
  '',
]
const vocabulary = trainBpe(plays, { size: 700, added: ['<|end|>', '<|e|>'] })
const tokenizer = bpeTokenizer(vocabulary)
const json = writeTokenizerJson(vocabulary)

test('every text comes back exactly, whatever its characters [E-40]', () => {
  for (const text of samples) assert.equal(tokenizer.decode(tokenizer.encode(text)), text)
  const random = new RandomStream(Uint8Array.of(3), 99, 0)
  const pool = [..."ab \n\r\té東👍\u00a0'sl19.,<|end|>\u0301\u2028"]
  for (let i = 0; i < 200; i++) {
    const text = Array.from({ length: 40 }, (_, k) => pool[random.below(40 * i + k, pool.length)]).join('')
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text)
  }
})

test('the tokens are those that another tool gives for the written tokenizer.json [E-40]', () => {
  const rival = new RivalTokenizer(JSON.parse(json), {})
  for (const text of samples) {
    assert.deepEqual([...tokenizer.encode(text)], rival.encode(text).ids, JSON.stringify(text.slice(0, 60)))
  }
})

test('a written tokenizer.json reads back to the same vocabulary and is written to the same bytes', () => {
  const read = readTokenizerJson(json)
  assert.deepEqual(read, vocabulary)
  assert.equal(writeTokenizerJson(read), json)
})

test('the older form of merges, one text with a space, is read too', () => {
  const file = JSON.parse(json)
  file.model.merges = file.model.merges.map((pair: string[]) => pair.join(' '))
  assert.deepEqual(readTokenizerJson(JSON.stringify(file)), vocabulary)
})

test('merges are learned by count, then by the lower left and right token, worked by hand [E-39]', () => {
  // Words: "ab" ×3, " ab" ×1, " cd" ×3. Counts: (a,b) 4, (c,d) 3, (space,c) 3, (space,a) 1.
  const { merges, tokens } = trainBpe('ab\nab\nab ab cd cd cd', { size: 259, leastCount: 2 })
  const [space, a, b, c] = [...' abc'].map((item) => item.charCodeAt(0))
  assert.deepEqual(merges, [
    { left: a, right: b, token: 256 },
    // (space, c) and (c, d) are equally frequent; the space has the lower number.
    { left: space, right: c, token: 257 },
    { left: 257, right: 100, token: 258 },
  ])
  assert.deepEqual([...tokens[258]!], [32, 99, 100])
})

test('training equals the plain rule: count every pair again for each merge [E-39]', () => {
  const text = plays.slice(0, 3000)
  const words = splitWords(text).map((word) => [...new TextEncoder().encode(word)])
  const { merges } = trainBpe(text, { size: 256 + 60 })
  for (const { left, right, token } of merges) {
    const counts = new Map<number, number>()
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const key = pairKey(word[i]!, word[i + 1]!)
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
    const [best] = [...counts].sort(([a, m], [b, n]) => n - m || a - b)
    assert.equal(best![0], pairKey(left, right))
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        if (word[i] === left && word[i + 1] === right) word.splice(i, 2, token)
      }
    }
  }
})

test('a word merges by lowest rank, leftmost first, as the plain rule does [E-40]', () => {
  const merges = new Map(
    vocabulary.merges.map(({ left, right, token }, rank) => [pairKey(left, right), { rank, token }]),
  )
  for (const word of splitWords(plays.slice(0, 20_000))) {
    const bytes = [...new TextEncoder().encode(word)]
    const plain = [...bytes]
    for (;;) {
      const ranks = plain.slice(1).map((right, i) => merges.get(pairKey(plain[i]!, right))?.rank ?? Infinity)
      const lowest = Math.min(...ranks)
      if (!Number.isFinite(lowest)) break
      const at = ranks.indexOf(lowest)
      plain.splice(at, 2, merges.get(pairKey(plain[at]!, plain[at + 1]!))!.token)
    }
    assert.deepEqual(mergeWord(merges, bytes), plain)
  }
})

test('a word of a hundred thousand equal letters is merged in time that its length deserves', () => {
  const long = 'e'.repeat(100_000)
  assert.equal(tokenizer.decode(tokenizer.encode(long)), long)
})

test('the byte alphabet stands for every byte once and has no white space', () => {
  assert.equal(new Set(byteCharacters).size, 256)
  assert.equal(byteCharacters[32], 'Ġ')
  assert.equal(byteCharacters[10], 'Ċ')
  assert.ok(byteCharacters.every((character) => !/\s/.test(character)))
})

test('a tokenizer.json that is cut off, hostile or of another kind is refused with the field', () => {
  const base = JSON.parse(json)
  const change = (edit: (file: typeof base) => void): string => {
    const copy = structuredClone(base)
    edit(copy)
    return JSON.stringify(copy)
  }
  const refused: [string, RegExp][] = [
    [json.slice(0, 500), /no JSON/],
    ['[]', /the file must be an object/],
    [
      change((f) => {
        f.model.type = 'Unigram'
      }),
      /model.type must be "BPE", got "Unigram"/,
    ],
    [
      change((f) => {
        f.model.vocab = {}
      }),
      /1 to 1048576 tokens/,
    ],
    [
      change((f) => {
        f.model.vocab.Ġ = 1e9
      }),
      /vocab\["Ġ"\] must be whole/,
    ],
    [
      change((f) => {
        f.model.vocab.Ġ = 3
      }),
      /numbered without gaps/,
    ],
    [
      change((f) => {
        f.model.vocab[' '] = 9999
      }),
      /byte alphabet/,
    ],
    [
      change((f) => {
        f.model.merges.push(['q', 'zz'])
      }),
      /made of pieces of the vocabulary, got "zz"/,
    ],
    [
      change((f) => {
        f.model.merges.push(f.model.merges[0])
      }),
      /given once/,
    ],
    [
      change((f) => {
        f.model.merges = 'Ġ t'
      }),
      /model.merges must be a list/,
    ],
    [
      change((f) => {
        f.normalizer = { type: 'NFC' }
      }),
      /normalizer must be null/,
    ],
    [
      change((f) => {
        f.pre_tokenizer.add_prefix_space = true
      }),
      /add_prefix_space must be false/,
    ],
    [
      change((f) => {
        f.pre_tokenizer = { type: 'Whitespace' }
      }),
      /pre_tokenizer.type/,
    ],
    [
      change((f) => {
        f.added_tokens[0].lstrip = true
      }),
      /added_tokens\[0\].lstrip must be false/,
    ],
    [
      change((f) => {
        f.added_tokens[1].id = f.added_tokens[0].id
      }),
      /distinct numbers/,
    ],
    [
      change((f) => {
        f.added_tokens[0].id = 65
      }),
      /number of its own/,
    ],
  ]
  for (const [text, message] of refused) {
    assert.throws(() => readTokenizerJson(text), { code: 'BAD_TOKENIZER', message })
  }
})

test('a byte without a token and a number without a token are refused with their place', () => {
  const { tokens, merges } = trainBpe('aaaa', { size: 257 })
  const few = bpeTokenizer({ tokens: tokens.map((bytes) => (bytes?.[0] === 98 ? null : bytes)), merges, added: [] })
  assert.throws(() => few.encode('aab'), { code: 'UNKNOWN_BYTE', message: /byte 98/ })
  assert.throws(() => tokenizer.decode([5, 700]), { code: 'BAD_TOKEN', message: /token 700 at position 1/ })
  assert.throws(() => trainBpe('a', { size: 200 }), { code: 'BAD_CONFIG', message: /got 200/ })
})

test('a character tokenizer has one token a character and may hold more than 256 of them', () => {
  const many = characterTokenizer(String.fromCodePoint(...Array.from({ length: 400 }, (_, i) => 0x4e00 + i), 0x1f372))
  assert.deepEqual([...many.encode('\u4e01\u{1F372}')], [1, 400])
  assert.equal(many.decode([1, 400]), '\u4e01\u{1F372}')
  assert.throws(() => many.encode('\u4e00a'), { code: 'UNKNOWN_CHARACTER', message: /"a" at position 1/ })
  assert.throws(() => characterTokenizer('aba'), { code: 'BAD_CONFIG' })
})
