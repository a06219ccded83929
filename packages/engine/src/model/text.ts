import { PotluckError } from '@potluck/protocol'
import { charactersOf, type LanguageConfig } from './LanguageConfig.ts'

/** The distinct characters of a text, sorted by code point. */
export function vocabularyOf(text: string): string {
  const points = [...new Set(text)].map((character) => character.codePointAt(0)!)
  return String.fromCodePoint(...points.sort((a, b) => a - b))
}

/**
 * One byte per character: its place in the vocabulary.
 *
 * @param unknown `refuse` throws UNKNOWN_CHARACTER with the character and its place; `drop` leaves it out
 */
export function encodeText(
  config: Pick<LanguageConfig, 'vocabulary'>,
  text: string,
  unknown: 'refuse' | 'drop' = 'refuse',
): Uint8Array {
  const places = new Map([...config.vocabulary].map((character, token) => [character, token]))
  const tokens = new Uint8Array(text.length)
  let at = 0
  let seen = 0
  for (const character of text) {
    const token = places.get(character)
    if (token !== undefined) tokens[at++] = token
    else if (unknown === 'refuse') {
      throw new PotluckError(
        'UNKNOWN_CHARACTER',
        `character ${JSON.stringify(character)} at position ${seen} is not in the vocabulary`,
        { character, position: seen },
      )
    }
    seen++
  }
  return tokens.slice(0, at)
}

/** The text of a list of tokens. Throws BAD_TOKEN for one outside the vocabulary. */
export function decodeTokens(config: LanguageConfig, tokens: ArrayLike<number>): string {
  const characters = charactersOf(config)
  return Array.from(tokens, (token, position) => {
    const character = characters[token]
    if (character !== undefined) return character
    throw new PotluckError(
      'BAD_TOKEN',
      `token ${token} at position ${position}, expected 0 to ${characters.length - 1}`,
    )
  }).join('')
}

/** Throws BAD_TOKEN for the first token outside the vocabulary. */
export function checkTokens(config: LanguageConfig, tokens: Uint8Array): void {
  const size = charactersOf(config).length
  const at = tokens.findIndex((token) => token >= size)
  if (at >= 0) {
    throw new PotluckError('BAD_TOKEN', `token ${tokens[at]} at position ${at}, expected 0 to ${size - 1}`, { at })
  }
}
