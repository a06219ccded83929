import { PotluckError } from '@potluck/protocol'
import type { Tokenizer } from './Tokenizer.ts'

/**
 * One token for each character (code point), in the order of the vocabulary. `vocabularyOf` gives that of a text.
 *
 * @param vocabulary each character once
 * @throws PotluckError BAD_CONFIG when it is empty or a character stands twice
 */
export function characterTokenizer(vocabulary: string): Tokenizer {
  const characters = [...vocabulary]
  const places = new Map(characters.map((character, token) => [character, token]))
  if (characters.length === 0 || places.size !== characters.length) {
    throw new PotluckError(
      'BAD_CONFIG',
      `vocabulary must hold characters, each once: got ${characters.length}, ${places.size} of them distinct`,
    )
  }
  return {
    kind: 'characters',
    size: characters.length,
    encode: (text) =>
      Int32Array.from([...text], (character, position) => {
        const token = places.get(character)
        if (token !== undefined) return token
        throw new PotluckError(
          'UNKNOWN_CHARACTER',
          `character ${JSON.stringify(character)} at position ${position} is not in the vocabulary`,
          { character, position },
        )
      }),
    decode: (tokens) =>
      Array.from(
        tokens,
        (token, position) => characters[token] ?? refuseToken(token, position, characters.length),
      ).join(''),
  }
}

export function refuseToken(token: number, position: number, size: number): never {
  throw new PotluckError('BAD_TOKEN', `token ${token} at position ${position}, expected 0 to ${size - 1}`, { position })
}
