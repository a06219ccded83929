import type { BpeVocabulary } from './BpeVocabulary.ts'
import { byteCharacters } from './byteAlphabet.ts'

/** The text of a token as it stands in `tokenizer.json`. */
export const pieceOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byteCharacters[byte]).join('')

/**
 * A vocabulary as Hugging Face's `tokenizer.json`, which other tools load. The same vocabulary gives the same text, byte
 * for byte; `readTokenizerJson` reads it back.
 */
export function writeTokenizerJson({ tokens, merges, added }: BpeVocabulary): string {
  const piece = (token: number): string => pieceOf(tokens[token]!)
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  const vocab = Object.fromEntries(tokens.flatMap((bytes, token) => (bytes ? [[pieceOf(bytes), token]] : [])))
  const content = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(({ token, content, special }) => ({
      id: token,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special,
    })),
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: merges.map(({ left, right }) => [piece(left), piece(right)]),
    },
  }
  return `${JSON.stringify(content, null, 1)}\n`
}
