import { PotluckError, utf8 } from '@potluck/protocol'
import type { BpeVocabulary } from './BpeVocabulary.ts'
import { byteCharacters } from './byteAlphabet.ts'
import { refuseToken } from './characterTokenizer.ts'
import { type Merges, mergeWord, pairKey } from './mergeWord.ts'
import { splitWords } from './splitWords.ts'
import type { Tokenizer } from './Tokenizer.ts'

/** A tokenizer that also gives its vocabulary away. */
export type BpeTokenizer = Tokenizer & { readonly vocabulary: BpeVocabulary }

// Words seen before are not merged again; bounded, so that a hostile text cannot fill the memory.
const mostKnown = 50_000

/**
 * A byte-level BPE tokenizer: every text has tokens and comes back exactly. Added tokens are found in the text first,
 * from the left, of several at one place the longest; the rest is cut by `splitWords` and merged word by word (E-40).
 */
export function bpeTokenizer(vocabulary: BpeVocabulary): BpeTokenizer {
  const { tokens, added } = vocabulary
  const merges: Merges = new Map(
    vocabulary.merges.map(({ left, right, token }, rank) => [pairKey(left, right), { rank, token }]),
  )
  const tokenOfByte = new Map(tokens.flatMap((bytes, token) => (bytes?.length === 1 ? [[bytes[0]!, token]] : [])))
  const addedTokens = new Map(added.map(({ content, token }) => [content, token]))
  const contents = new Map(added.map(({ content, token }) => [token, utf8(content)]))
  const known = new Map<string, readonly number[]>()

  const merged = (word: string): readonly number[] => {
    const seen = known.get(word)
    if (seen) return seen
    const bytes = Array.from(utf8(word), (byte) => tokenOfByte.get(byte) ?? refuseByte(byte, word))
    const result = mergeWord(merges, bytes)
    if (known.size >= mostKnown) known.clear()
    known.set(word, result)
    return result
  }
  const pieces = cutter([...addedTokens.keys()])
  return {
    kind: 'bpe',
    size: tokens.length,
    vocabulary,
    encode(text) {
      const out: number[] = []
      for (const piece of pieces(text)) {
        const token = addedTokens.get(piece)
        if (token !== undefined) out.push(token)
        else for (const word of splitWords(piece)) for (const item of merged(word)) out.push(item)
      }
      return Int32Array.from(out)
    },
    decode(list) {
      const parts = Array.from(
        list,
        (token, position) => tokens[token] ?? contents.get(token) ?? refuseToken(token, position, tokens.length),
      )
      const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
      let at = 0
      for (const part of parts) {
        bytes.set(part, at)
        at += part.length
      }
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    },
  }
}

/** Cuts a text before and after every added token. */
function cutter(contents: readonly string[]): (text: string) => string[] {
  if (contents.length === 0) return (text) => [text]
  const escaped = [...contents]
    .sort((a, b) => b.length - a.length)
    .map((content) => content.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`))
  const pattern = new RegExp(`(${escaped.join('|')})`)
  return (text) => text.split(pattern).filter((piece) => piece.length > 0)
}

function refuseByte(byte: number, word: string): never {
  throw new PotluckError(
    'UNKNOWN_BYTE',
    `the vocabulary has no token for byte ${byte} (${byteCharacters[byte]}) in ${JSON.stringify(word.slice(0, 40))}`,
    { byte },
  )
}
