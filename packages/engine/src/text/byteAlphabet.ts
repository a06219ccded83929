/**
 * The character that stands for each byte in the tokens of GPT-2 and its descendants: printable Latin-1 stands for
 * itself, the other 68 bytes, in ascending order, for U+0100 and on. So every token is readable text without spaces.
 */
export const byteCharacters: readonly string[] = ((): string[] => {
  const isPlain = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPlain(byte) ? byte : next++))
})()

/** The byte that a character stands for. */
export const byteOfCharacter: ReadonlyMap<string, number> = new Map(byteCharacters.map((item, byte) => [item, byte]))
