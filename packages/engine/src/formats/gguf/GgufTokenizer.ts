import type { BpeVocabulary } from '../../text/BpeVocabulary.ts'
import { byteCharacters } from '../../text/byteAlphabet.ts'
import type { GgufValue } from './GgufValue.ts'

/**
 * How text becomes tokens, for the programs that read the file: one token per character, in token order, or byte-level BPE.
 *
 * `end`: the token that ends a text; by default an added token called `<|endoftext|>`, or else the token of byte 0, which stands in no text.
 */
export type GgufTokenizer =
  | { readonly kind: 'characters'; readonly vocabulary: string }
  | { readonly kind: 'bpe'; readonly vocabulary: BpeVocabulary; readonly end?: number }

/** Token kinds of GGUF. */
const [NORMAL, CONTROL, USER_DEFINED, UNUSED] = [1, 3, 4, 5]

const text = (value: string): GgufValue => ({ type: 'string', value })
const texts = (values: readonly string[]): GgufValue => ({ type: 'array', of: 'string', values })

export const tokenCount = (tokenizer: GgufTokenizer): number =>
  tokenizer.kind === 'characters' ? [...tokenizer.vocabulary].length : tokenizer.vocabulary.tokens.length

/** The `tokenizer.ggml` part of the metadata. */
export function tokenizerMetadata(tokenizer: GgufTokenizer): [string, GgufValue][] {
  const types = new Array<number>(tokenCount(tokenizer)).fill(NORMAL)
  const entries =
    tokenizer.kind === 'characters' ? characterEntries(tokenizer.vocabulary) : bpeEntries(tokenizer, types)
  return [
    ...entries,
    ['tokenizer.ggml.token_type', { type: 'array', of: 'i32', values: types }],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
    ['tokenizer.ggml.add_eos_token', { type: 'bool', value: false }],
  ]
}

/**
 * The RWKV kind takes the longest token that fits, and is the only one that names no token as the end of a text. A character it does not know must
 * become some token, or llama.cpp ends the process.
 */
function characterEntries(vocabulary: string): [string, GgufValue][] {
  const characters = [...vocabulary]
  return [
    ['tokenizer.ggml.model', text('rwkv')],
    ['tokenizer.ggml.tokens', texts(characters.map(escaped))],
    ['tokenizer.ggml.unknown_token_id', { type: 'u32', value: Math.max(0, characters.indexOf(' ')) }],
  ]
}

/** Fills in the types of added tokens. */
function bpeEntries(
  { vocabulary: { tokens, merges, added }, end }: GgufTokenizer & { readonly kind: 'bpe' },
  types: number[],
): [string, GgufValue][] {
  const written = tokens.map((bytes, token) => {
    if (bytes) return Array.from(bytes, (byte) => byteCharacters[byte]!).join('')
    types[token] = UNUSED
    return `<|unused ${token}|>`
  })
  for (const { token, content, special } of added) {
    written[token] = content
    types[token] = special ? CONTROL : USER_DEFINED
  }
  const pairs = merges.map(({ left, right }) => `${written[left]} ${written[right]}`)
  // Without this entry readers take token 11 for the end of a text.
  const named = added.find(({ content }) => content === '<|endoftext|>')?.token
  const last =
    end ??
    named ??
    Math.max(
      0,
      tokens.findIndex((bytes) => bytes?.length === 1 && bytes[0] === 0),
    )
  return [
    ['tokenizer.ggml.model', text('gpt2')],
    ['tokenizer.ggml.pre', text('gpt-2')],
    ['tokenizer.ggml.tokens', texts(written)],
    ['tokenizer.ggml.merges', texts(pairs)],
    ['tokenizer.ggml.bos_token_id', { type: 'u32', value: last }],
    ['tokenizer.ggml.eos_token_id', { type: 'u32', value: last }],
  ]
}

/** RWKV tokens are written with backslash escapes. */
function escaped(character: string): string {
  const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }
  const code = character.codePointAt(0)!
  if (named[character] !== undefined) return named[character]
  return code < 32 || code === 127 ? `\\x${code.toString(16).padStart(2, '0')}` : character
}
