import { PotluckError } from '@potluck/protocol'

/** Grid of the noised numbers over the noise's deviation, as a power of two. */
const GRID = 1 / 65_536

/**
 * Adds normal noise of standard deviation `deviation` to each number and rounds to a grid 2^-16 or so of it.
 *
 * f64 normals have gaps that could tell what they were added to; on the grid each value stands for some 2^30 of them. What is
 * left is a difference of about 2^-30 in the probability of any one value.
 *
 * @param values written
 * @param normal standard normal numbers (`gaussianStream`), one for each value in order
 */
export function addGaussian(values: Float64Array, deviation: number, normal: () => number): void {
  if (!(deviation > 0 && deviation < 1e30)) {
    throw new PotluckError('BAD_PRIVACY', `the noise must have a deviation above 0, got ${deviation}`, { deviation })
  }
  let grid = 1
  while (grid > deviation * GRID) grid /= 2
  while (grid * 2 <= deviation * GRID) grid *= 2
  for (let i = 0; i < values.length; i++) values[i] = Math.round((values[i]! + deviation * normal()) / grid) * grid
}
