// The pattern of GPT-2: contractions, then letters, digits or signs with one space before them, then white space, of
// which the last one before a word goes to the word. Letters and digits are those of the Unicode tables at hand.
const word = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** The pieces that tokens never cross, in order; joined they are the text. */
export const splitWords = (text: string): string[] => text.match(word) ?? []
