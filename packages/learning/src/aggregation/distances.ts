/** Coordinates compared at a time: those of two updates stay in the fastest cache. */
const BLOCK = 1024

/**
 * Squared distances between all pairs of updates, [n, n] row-major.
 *
 * Differences rather than inner products: of two nearly equal vectors nothing cancels. Order: each pair in four strided f64 partial sums
 * over all coordinates, added ((0 + 2) + (1 + 3)). Cost: n²/2 subtractions, products and additions a coordinate.
 */
export function squaredDistances(updates: readonly Float32Array[]): Float64Array {
  const n = updates.length
  const P = updates[0]?.length ?? 0
  const partials = new Float64Array(4 * n * n)
  for (let start = 0; start < P; start += BLOCK) {
    const end = Math.min(P, start + BLOCK)
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) addSquares(updates[i]!, updates[k]!, start, end, partials, 4 * (i * n + k))
    }
  }
  const distances = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      const at = 4 * (i * n + k)
      const sum = partials[at]! + partials[at + 2]! + (partials[at + 1]! + partials[at + 3]!)
      distances[i * n + k] = sum
      distances[k * n + i] = sum
    }
  }
  return distances
}

/** Distance of each update to a point; order as above. */
export function distancesTo(updates: readonly Float32Array[], point: Float32Array | Float64Array): Float64Array {
  const partials = new Float64Array(4)
  return Float64Array.from(updates, (update) => {
    partials.fill(0)
    addSquares(update, point, 0, update.length, partials, 0)
    return Math.sqrt(partials[0]! + partials[2]! + (partials[1]! + partials[3]!))
  })
}

/** Whole blocks are multiples of four long, so that coordinate j always falls to partial sum j mod 4. */
function addSquares(
  a: Float32Array,
  b: Float32Array | Float64Array,
  start: number,
  end: number,
  partials: Float64Array,
  at: number,
): void {
  let [p0, p1, p2, p3] = [partials[at]!, partials[at + 1]!, partials[at + 2]!, partials[at + 3]!]
  const whole = end - ((end - start) % 4)
  for (let j = start; j < whole; j += 4) {
    const d0 = a[j]! - b[j]!
    const d1 = a[j + 1]! - b[j + 1]!
    const d2 = a[j + 2]! - b[j + 2]!
    const d3 = a[j + 3]! - b[j + 3]!
    p0 += d0 * d0
    p1 += d1 * d1
    p2 += d2 * d2
    p3 += d3 * d3
  }
  if (whole < end) p0 += (a[whole]! - b[whole]!) * (a[whole]! - b[whole]!)
  if (whole + 1 < end) p1 += (a[whole + 1]! - b[whole + 1]!) * (a[whole + 1]! - b[whole + 1]!)
  if (whole + 2 < end) p2 += (a[whole + 2]! - b[whole + 2]!) * (a[whole + 2]! - b[whole + 2]!)
  partials[at] = p0
  partials[at + 1] = p1
  partials[at + 2] = p2
  partials[at + 3] = p3
}

/** The middle one of a list in order; of an even number the lower of the two. */
export const lowerMedian = (values: Float64Array): number => values.toSorted()[(values.length - 1) >> 1] ?? 0
