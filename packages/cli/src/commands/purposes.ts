import { PotluckError } from '@potluck/protocol'

/** What a licence can grant, by the bit it has on chain. */
export const purposeBits = { TRAIN: 1, EVALUATE: 2, DERIVE: 4, SERVE: 8, COMMERCIAL: 16 } as const
export type Purpose = keyof typeof purposeBits
export const purposeNames = Object.keys(purposeBits) as Purpose[]

/** The bits of a list of purposes. */
export const bitsOfPurposes = (names: readonly Purpose[]): number =>
  names.reduce((bits, name) => bits | purposeBits[name], 0)

/** `TRAIN, SERVE`, or `nothing`. */
export const purposesOfBits = (bits: number): string =>
  purposeNames.filter((name) => (bits & purposeBits[name]) !== 0).join(', ') || 'nothing'

/** Purposes from `train,serve`; `all` stands for every one. Throws BAD_PURPOSE with the name seen. */
export function parsePurposes(text: string): number {
  if (text.trim().toLowerCase() === 'all') return bitsOfPurposes(purposeNames)
  return text.split(',').reduce((bits, part) => {
    const name = part.trim().toUpperCase()
    if (Object.hasOwn(purposeBits, name)) return bits | purposeBits[name as Purpose]
    throw new PotluckError(
      'BAD_PURPOSE',
      `"${part.trim()}" is no purpose: name some of ${purposeNames.join(', ')}, separated by commas, or all`,
      { seen: part.trim() },
    )
  }, 0)
}
