/**
 * Adam that sees only the sign of each slope, so that faint pixels move as fast as strong ones; then back into the range.
 *
 * @param x moved in place
 * @returns moves x against a slope, by `rate` at most after the first steps
 *
 * Source: Kingma and Ba, arXiv:1412.6980, with 0.9, 0.999 and 10⁻⁸.
 */
export function signedAdam(x: Float64Array, low: number, high: number): (slope: Float64Array, rate: number) => void {
  const [first, second] = [new Float64Array(x.length), new Float64Array(x.length)]
  let [left1, left2] = [1, 1]
  return (slope, rate) => {
    left1 *= 0.9
    left2 *= 0.999
    for (let i = 0; i < x.length; i++) {
      const sign = Math.sign(slope[i]!)
      first[i] = 0.9 * first[i]! + 0.1 * sign
      second[i] = 0.999 * second[i]! + 0.001 * sign * sign
      const length = Math.sqrt(second[i]! / (1 - left2)) + 1e-8
      x[i] = Math.min(high, Math.max(low, x[i]! - (rate * (first[i]! / (1 - left1))) / length))
    }
  }
}
