/** Turns text into token numbers and back. `decode(encode(text))` is `text`. */
export type Tokenizer = {
  readonly kind: 'characters' | 'bpe'
  /** Tokens there are: 0 to size − 1. */
  readonly size: number
  /** Throws UNKNOWN_CHARACTER or UNKNOWN_BYTE with the place for what has no token. */
  encode(text: string): Int32Array
  /** Throws BAD_TOKEN with the position of a number that is no token. */
  decode(tokens: ArrayLike<number>): string
}
