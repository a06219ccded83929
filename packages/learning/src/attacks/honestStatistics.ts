/** What attackers know of a round's honest updates. All in f64, by members in order. */
export type HonestStatistics = {
  readonly mean: Float64Array
  /** Of each coordinate, over members (divided by their number). */
  readonly deviation: Float64Array
  /** Mean length of the updates. */
  readonly length: number
}

export function honestStatistics(honest: readonly Float32Array[]): HonestStatistics {
  const P = honest[0]?.length ?? 0
  const mean = new Float64Array(P)
  const deviation = new Float64Array(P)
  let length = 0
  for (const update of honest) {
    for (let j = 0; j < P; j++) mean[j]! += update[j]! / honest.length
    length += lengthOf(update) / honest.length
  }
  for (const update of honest) {
    for (let j = 0; j < P; j++) deviation[j]! += ((update[j]! - mean[j]!) * (update[j]! - mean[j]!)) / honest.length
  }
  for (let j = 0; j < P; j++) deviation[j] = Math.sqrt(deviation[j]!)
  return { mean, deviation, length }
}

export function lengthOf(vector: Float32Array | Float64Array): number {
  let square = 0
  for (let j = 0; j < vector.length; j++) square += vector[j]! * vector[j]!
  return Math.sqrt(square)
}
