/** A byte-level BPE vocabulary as data. */
export type BpeVocabulary = {
  /** The bytes of each token in order of number; null for an added token. Pieces from other tools may leave bytes out. */
  readonly tokens: readonly (Uint8Array | null)[]
  /** Pairs of tokens and what they become, by rising rank. */
  readonly merges: readonly { readonly left: number; readonly right: number; readonly token: number }[]
  /** Tokens that stand in a text as they are and are never cut: `<|endoftext|>`, for one. */
  readonly added: readonly { readonly token: number; readonly content: string; readonly special: boolean }[]
}
