import {
  bpeTokenizer,
  characterTokenizer,
  type GgufTokenizer,
  readTokenizerJson,
  type Tokenizer,
  trainBpe,
  vocabularyOf,
  writeTokenizerJson,
} from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/** A tokenizer with all that others need to use it. */
export type TextTokenizer = {
  readonly tokenizer: Tokenizer
  /** Content of `tokenizer.json`, as Hugging Face's tokenizers read it. */
  readonly json: string
  readonly gguf: GgufTokenizer
  /** What was done, for a person. */
  readonly line: string
}

/**
 * A tokenizer for a text: `chars`, one token a character of the whole text; or `bpe:N`, N tokens of byte pairs learned from the part
 * to train on.
 *
 * @throws PotluckError BAD_USAGE for any other kind, or an N that is not 257 to 65536
 */
export function tokenizerFor(kind: string, whole: string, training: string): TextTokenizer {
  if (kind === 'chars') return ofCharacters(vocabularyOf(whole))
  const size = /^bpe:(\d{1,6})$/.exec(kind)?.[1]
  if (size === undefined || Number(size) <= 256 || Number(size) > 65_536) {
    const message = `--tokenizer ${JSON.stringify(kind.slice(0, 40))} is none: write chars, or bpe:N with N from 257 to 65536, such as bpe:512`
    throw new PotluckError('BAD_USAGE', message)
  }
  return ofBytePairs(training, Number(size))
}

function ofCharacters(vocabulary: string): TextTokenizer {
  const tokenizer = characterTokenizer(vocabulary)
  return {
    tokenizer,
    json: characterTokenizerJson(vocabulary),
    gguf: { kind: 'characters', vocabulary },
    line: `${tokenizer.size} characters, one token each`,
  }
}

function ofBytePairs(text: string, size: number): TextTokenizer {
  const vocabulary = trainBpe(text, { size })
  const tokenizer = bpeTokenizer(vocabulary)
  return {
    tokenizer,
    json: writeTokenizerJson(vocabulary),
    gguf: { kind: 'bpe', vocabulary },
    line: `${tokenizer.size} tokens: 256 bytes and ${tokenizer.size - 256} byte pairs learned from the part to train on${tokenizer.size < size ? ' (it has no more that come twice)' : ''}`,
  }
}

/**
 * The tokenizer in a `tokenizer.json` of either kind that is written here.
 *
 * @throws PotluckError BAD_TOKENIZER
 */
export function readTextTokenizer(json: string): TextTokenizer {
  const line = (size: number): string => `${size} tokens, as the base has them`
  const characters = charactersIn(json)
  if (characters !== undefined) {
    const made = ofCharacters(characters)
    return { ...made, json, line: line(made.tokenizer.size) }
  }
  const vocabulary = readTokenizerJson(json)
  const tokenizer = bpeTokenizer(vocabulary)
  return { tokenizer, json, gguf: { kind: 'bpe', vocabulary }, line: line(tokenizer.size) }
}

/** The characters of a file that `characterTokenizerJson` wrote, in order; undefined for any other. */
function charactersIn(json: string): string | undefined {
  let model: { type?: unknown; vocab?: Record<string, unknown> } | undefined
  try {
    model = (JSON.parse(json) as { model?: typeof model } | null)?.model
  } catch {
    // The reader of byte pairs says what is wrong with it.
    return undefined
  }
  if (model?.type !== 'WordLevel' || typeof model.vocab !== 'object' || model.vocab === null) return undefined
  const entries = Object.entries(model.vocab).sort(([, a], [, b]) => Number(a) - Number(b))
  const isWhole = entries.every(([character, token], i) => token === i && [...character].length === 1)
  if (isWhole && entries.length > 0) return entries.map(([character]) => character).join('')
  throw new PotluckError('BAD_TOKENIZER', 'tokenizer.json: model.vocab must number single characters from 0')
}

/** A `tokenizer.json` that cuts a text into its characters: every character a word of its own. */
export function characterTokenizerJson(vocabulary: string): string {
  const content = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries([...vocabulary].map((character, token) => [character, token])),
      unk_token: [...vocabulary][0],
    },
  }
  return `${JSON.stringify(content, null, 1)}\n`
}
