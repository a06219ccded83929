import type { UpdateEncoding } from '@potluck/protocol'

export type DenseEncoding = Exclude<UpdateEncoding, 'f32'>

/** Bits a number, and the highest level: levels are the whole numbers from −most to most, the one code left over is never used. */
export const denseLevels: Readonly<Record<DenseEncoding, { readonly bits: 2 | 4 | 8; readonly most: number }>> = {
  dense8: { bits: 8, most: 127 },
  dense4: { bits: 4, most: 7 },
  dense2: { bits: 2, most: 1 },
}

/** 2^−80 and 2^100: below the one a block counts as zero, the other is the largest scale. Levels times scales are normal numbers. */
export const SMALLEST_SCALE = 1 / 1_099_511_627_776 / 1_099_511_627_776
export const LARGEST_SCALE = 1_125_899_906_842_624 * 1_125_899_906_842_624
