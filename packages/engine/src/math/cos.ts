import { quarterTurns } from './quarterTurns.ts'
import { sineOf } from './sin.ts'

/**
 * The cosine in f32, the same bits everywhere (E-21): the sine of one quarter turn more, so the range and the error are
 * those of `exactSin`.
 *
 * @param x f32, radians; NaN and ±infinity give NaN
 */
export function exactCos(x: number): number {
  const { word, r } = quarterTurns(Math.fround(x))
  return sineOf(word + 1, r)
}
