import { PotluckError } from '@potluck/protocol'
import type { BpeVocabulary } from './BpeVocabulary.ts'
import { byteOfCharacter } from './byteAlphabet.ts'

// A vocabulary of 2^20 tokens is four times the largest in use; no token in use is longer than 512 bytes.
const mostTokens = 0x100000
const longestPiece = 1024

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Fields = { [key: string]: Json }

/**
 * The vocabulary in a `tokenizer.json` of the byte-level BPE kind (GPT-2 and its descendants with the same pattern).
 * Trusts nothing in it: a part that would give other tokens than the file means is refused, not left out.
 *
 * @throws PotluckError BAD_TOKENIZER naming the field, what it must be and what was seen
 */
export function readTokenizerJson(json: string): BpeVocabulary {
  const file = fields('the file', parsed(json))
  only('normalizer', file.normalizer, null)
  checkLevel('pre_tokenizer', file.pre_tokenizer)
  if (file.decoder !== undefined && file.decoder !== null)
    only('decoder.type', fields('decoder', file.decoder).type, 'ByteLevel')
  const model = fields('model', file.model)
  only('model.type', model.type, 'BPE')
  for (const name of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    only(`model.${name}`, model[name] === '' ? null : model[name], null)
  }
  for (const name of ['byte_fallback', 'ignore_merges']) only(`model.${name}`, model[name] ?? false, false)
  const added = addedTokens(file.added_tokens)
  const numbers = vocabularyNumbers(model.vocab)
  const most = (top: number, token: number): number => Math.max(top, token)
  const size = added.reduce((top, { token }) => most(top, token), [...numbers.values()].reduce(most, -1)) + 1
  const tokens: (Uint8Array | null)[] = new Array<Uint8Array | null>(size).fill(null)
  const contents = new Set(added.map(({ content }) => content))
  for (const [text, token] of numbers) {
    if (!contents.has(text)) tokens[token] = bytesOf(text)
  }
  for (const { content, token } of added) {
    if ((numbers.get(content) ?? token) !== token)
      refuse(`added_tokens ${content}`, `numbered as in model.vocab`, token)
  }
  checkNumbering(tokens, added)
  return { tokens, merges: mergesOf(model.merges, numbers), added }
}

function refuse(field: string, wanted: string, seen: unknown): never {
  const shown = JSON.stringify(seen)?.slice(0, 60) ?? 'nothing'
  throw new PotluckError('BAD_TOKENIZER', `tokenizer.json: ${field} must be ${wanted}, got ${shown}`, { field })
}

function parsed(json: string): Json {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new PotluckError('BAD_TOKENIZER', 'tokenizer.json: this is no JSON; was the file cut off?', {}, { cause })
  }
}

function fields(name: string, value: Json | undefined): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(name, 'an object', value)
  return value
}

function only(field: string, value: Json | undefined, wanted: Json): void {
  if ((value ?? null) !== wanted) refuse(field, JSON.stringify(wanted), value)
}

function checkLevel(name: string, value: Json | undefined): void {
  const level = fields(name, value)
  only(`${name}.type`, level.type, 'ByteLevel')
  only(`${name}.add_prefix_space`, level.add_prefix_space, false)
  only(`${name}.use_regex`, level.use_regex ?? true, true)
}

function number(field: string, value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value >= mostTokens) {
    return refuse(field, `whole and 0 to ${mostTokens - 1}`, value)
  }
  return value
}

function piece(field: string, value: Json | undefined): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > longestPiece) {
    return refuse(field, `a text of 1 to ${longestPiece} characters`, value)
  }
  return value
}

function addedTokens(value: Json | undefined): BpeVocabulary['added'] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > mostTokens) return refuse('added_tokens', 'a list', value)
  const added = value.map((item, i) => {
    const at = `added_tokens[${i}]`
    const entry = fields(at, item)
    for (const flag of ['single_word', 'lstrip', 'rstrip']) only(`${at}.${flag}`, entry[flag] ?? false, false)
    const [content, token] = [piece(`${at}.content`, entry.content), number(`${at}.id`, entry.id)]
    return { token, content, special: entry.special === true }
  })
  const seen = new Set<string>()
  for (const [i, { content }] of added.entries()) {
    if (seen.has(content)) refuse(`added_tokens[${i}].content`, 'given once', content)
    seen.add(content)
  }
  return added
}

function vocabularyNumbers(value: Json | undefined): ReadonlyMap<string, number> {
  const entries = Object.entries(fields('model.vocab', value))
  if (entries.length === 0 || entries.length > mostTokens)
    refuse('model.vocab', `1 to ${mostTokens} tokens`, entries.length)
  return new Map(
    entries.map(([text, token]) => {
      const at = `model.vocab[${JSON.stringify(text.slice(0, 40))}]`
      return [piece(at, text), number(at, token)]
    }),
  )
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from([...text], (character) => {
    const byte = byteOfCharacter.get(character)
    return (
      byte ?? refuse(`model.vocab[${JSON.stringify(text.slice(0, 40))}]`, 'written in the byte alphabet', character)
    )
  })
}

/** Every number from 0 to the last stands for one token. */
function checkNumbering(tokens: readonly (Uint8Array | null)[], added: BpeVocabulary['added']): void {
  const owners = new Map(added.map(({ token, content }) => [token, content]))
  if (owners.size !== added.length)
    refuse(
      'added_tokens',
      'of distinct numbers',
      added.map(({ token }) => token),
    )
  const taken = added.find(({ token }) => tokens[token])
  if (taken) refuse(`added_tokens ${JSON.stringify(taken.content)}`, 'of a number of its own', taken.token)
  const gap = tokens.findIndex((bytes, token) => !bytes && !owners.has(token))
  if (gap >= 0) refuse('model.vocab', `numbered without gaps and without repetition`, `no token ${gap}`)
}

function mergesOf(value: Json | undefined, numbers: ReadonlyMap<string, number>): BpeVocabulary['merges'] {
  if (!Array.isArray(value) || value.length > mostTokens)
    return refuse('model.merges', `a list of up to ${mostTokens}`, value)
  const seen = new Set<string>()
  return value.map((item, i) => {
    const at = `model.merges[${i}]`
    const pair = typeof item === 'string' ? item.split(' ') : item
    if (!Array.isArray(pair) || pair.length !== 2) return refuse(at, 'two pieces', item)
    const [left, right] = [piece(at, pair[0]), piece(at, pair[1])]
    const known = (text: string): number => numbers.get(text) ?? refuse(at, 'made of pieces of the vocabulary', text)
    if (seen.has(`${left} ${right}`)) refuse(at, 'given once', item)
    seen.add(`${left} ${right}`)
    return { left: known(left), right: known(right), token: known(left + right) }
  })
}
