import { PotluckError } from '@potluck/protocol'

/** 1 − 2^-20: far more than rounding the scaled numbers to f32 can add to the norm. */
const ROUNDED_DOWN = 1 - 1 / 1_048_576

/**
 * `values` scaled so that its 2-norm is at most `clip`, also after rounding to f32 (L-56); values already inside are returned unchanged.
 *
 * @throws PotluckError NAN when a number is none: it would carry everything past the clip
 *
 * Order: squares summed left to right in f64.
 */
export function clipToNorm(values: Float32Array, clip: number): Float32Array {
  let square = 0
  for (let i = 0; i < values.length; i++) square += values[i]! * values[i]!
  if (!Number.isFinite(square)) {
    const index = values.findIndex((value) => !Number.isFinite(value))
    throw new PotluckError('NAN', `number ${index} to be clipped is ${values[index]}`, { index })
  }
  const norm = Math.sqrt(square)
  if (norm <= clip * ROUNDED_DOWN) return values
  const scale = (clip / norm) * ROUNDED_DOWN
  return values.map((value) => value * scale)
}
