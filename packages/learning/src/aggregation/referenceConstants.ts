/** 2^−40. Below this a norm is taken for 0, so that no quotient by it overflows (L-15). */
export const SMALLEST_NORM = 1 / 1_099_511_627_776

/**
 * How far an update may point away from the reference, as a cosine, and still be heard (L-14). Cosines of honest updates scatter around
 * a small mean, so that many are below 0 by chance and few below this (the last table of docs/attacks.md). An update that takes
 * advantage of it has hardly any weight. How it was chosen, with the reference's own part: decision 0023.
 */
export const MARGIN = 3 / 32

/** The reference's own weight, as a part of the weights of all updates together: it has a fifth of the say, however many they are (L-14). */
export const REFERENCE_PART = 1 / 4
