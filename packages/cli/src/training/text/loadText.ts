import type { TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { LoadedData } from '../LoadedData.ts'
import { readTextFile } from '../readDataFile.ts'
import { type TextTokenizer, tokenizerFor } from './TextTokenizer.ts'

export type TextOptions = {
  readonly text: string
  readonly test?: string | undefined
  /** `chars` or `bpe:N`. */
  readonly tokenizer: string
  /** That of a model to go on from, instead. */
  readonly base?: TextTokenizer | undefined
  /** Part of the text, at its end, set aside for validation. */
  readonly validFraction: number
}

/** Tokens each part must have, that a window and its successor fit. */
const LEAST_TOKENS = 8

/**
 * A text as training, validation and test tokens. Validation is the end of the text: windows of the two parts never overlap.
 * Throws what reading throws, BAD_USAGE, SHORT_TEXT, UNKNOWN_CHARACTER.
 */
export function loadText(options: TextOptions): LoadedData {
  const text = readTextFile(options.text)
  const cut = cutAt(text, Math.round(text.length * (1 - options.validFraction)))
  const [training, validation] = [text.slice(0, cut), text.slice(cut)]
  const { tokenizer, json, gguf, line } = options.base ?? tokenizerFor(options.tokenizer, text, training)
  const parts = [
    { name: options.text, text: training },
    { name: `${options.text}, the end to validate on`, text: validation },
    ...(options.test === undefined ? [] : [{ name: options.test, text: readTextFile(options.test) }]),
  ].map(({ name, text }) => {
    const tokens = encoded(name, () => tokenizer.encode(text))
    if (tokens.length >= LEAST_TOKENS) return tokens
    const message = `${name}: ${tokens.length} tokens, at least ${LEAST_TOKENS} are needed; use a longer text`
    throw new PotluckError('SHORT_TEXT', message, { tokens: tokens.length })
  })
  const [train, valid, test] = parts.map((tokens): TrainingData => ({ kind: 'tokens', tokens }))
  const count = (at: number): string => String(parts[at]?.length ?? 0)
  return {
    shape: {
      kind: 'text',
      vocabulary: tokenizer.size,
      tokens: parts[0]?.length ?? 0,
      shortest: Math.min(...parts.map(({ length }) => length)),
    },
    train: train ?? { kind: 'tokens', tokens: new Int32Array(0) },
    valid: valid ?? { kind: 'tokens', tokens: new Int32Array(0) },
    test,
    lines: [
      `${options.text}: ${text.length} characters; ${line}`,
      `  ${count(0)} tokens to train on, ${count(1)} at the end to validate${test ? `, ${count(2)} to test, from ${options.test}` : ''}`,
    ],
    encoding: { data: 'text', tokenizer: tokenizer.kind },
    files: { 'tokenizer.json': json },
    text: { gguf, decode: (tokens) => tokenizer.decode(tokens), start: parts[1]?.[0] ?? 0 },
  }
}

/** The place, moved so that no character of two halves (a surrogate pair) is cut. */
const cutAt = (text: string, place: number): number => {
  const code = text.charCodeAt(place)
  return code >= 0xdc00 && code <= 0xdfff ? place + 1 : place
}

/** Says in which text a character has no token. */
function encoded(name: string, encode: () => Int32Array): Int32Array {
  try {
    return encode()
  } catch (cause) {
    if (!(cause instanceof PotluckError) || cause.code !== 'UNKNOWN_CHARACTER') throw cause
    const message = `${name}: ${cause.message}, which is that of the text to train on; take the character out, or use --tokenizer bpe:512, which reads any text`
    throw new PotluckError(cause.code, message, cause.facts, { cause })
  }
}
