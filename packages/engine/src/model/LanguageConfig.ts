import { PotluckError } from '@potluck/protocol'

/** A causal character transformer. All extents are whole and at least 1; `width` is a multiple of `heads`. */
export type LanguageConfig = {
  /** The characters in token order; each once. At most 256, so that a token fits a byte. */
  readonly vocabulary: string
  /** Characters seen at once (T). */
  readonly context: number
  /** Channels (C). */
  readonly width: number
  readonly layers: number
  /** Attention heads (H), each of width / heads channels. */
  readonly heads: number
  /** Inner channels of the feed-forward part. */
  readonly hidden: number
}

/** The characters of the vocabulary in token order. */
export const charactersOf = (config: LanguageConfig): string[] => [...config.vocabulary]

/** Throws BAD_CONFIG with the field and the value seen. */
export function checkConfig(config: LanguageConfig): void {
  const { context, width, layers, heads, hidden } = config
  for (const [field, value] of Object.entries({ context, width, layers, heads, hidden })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new PotluckError('BAD_CONFIG', `${field} must be whole and at least 1, got ${value}`)
    }
  }
  if (width % heads !== 0) throw new PotluckError('BAD_CONFIG', `width ${width} must be a multiple of heads ${heads}`)
  const characters = charactersOf(config)
  const distinct = new Set(characters).size
  if (distinct < 1 || distinct > 256 || distinct !== characters.length) {
    throw new PotluckError(
      'BAD_CONFIG',
      `vocabulary must hold 1 to 256 characters, each once: got ${characters.length}, ${distinct} of them distinct`,
    )
  }
}
