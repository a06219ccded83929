/** The two passes over updates that `aggregateStream` makes. Whose they are changes the speed, never a bit. */
export type UpdateKernels = {
  /** How many updates the passes like to be given at a time. */
  readonly together: number
  /**
   * Writes for each update the sum (E-11) of its squares, and of its products with the reference: every product rounds, then every sum.
   * What they are for an update with an infinity or a NaN is left open.
   */
  measure(updates: readonly Float32Array[], reference: Float32Array, squares: Float32Array, dots: Float32Array): void
  /** Adds each update times its factor to `moved`, update by update in their order (E-12). */
  add(updates: readonly Float32Array[], factors: Float32Array, moved: Float32Array): void
}

const round = Math.fround

/** Passes that run wherever JavaScript does. */
export const plainUpdateKernels: UpdateKernels = {
  together: 1,
  measure(updates, reference, squares, dots) {
    updates.forEach((update, i) => {
      squares[i] = sumOfProducts(update, update)
      dots[i] = sumOfProducts(update, reference)
    })
  },
  add(updates, factors, moved) {
    updates.forEach((update, i) => {
      const factor = factors[i]!
      for (let j = 0; j < moved.length; j++) moved[j] = moved[j]! + round(update[j]! * factor)
    })
  },
}

/** Σ a·b by eight strided partials in variables of their own (E-11). */
export function sumOfProducts(a: Float32Array, b: Float32Array): number {
  let [p0, p1, p2, p3] = [0, 0, 0, 0]
  let [p4, p5, p6, p7] = [0, 0, 0, 0]
  const whole = a.length - (a.length % 8)
  for (let k = 0; k < whole; k += 8) {
    p0 = round(p0 + round(a[k]! * b[k]!))
    p1 = round(p1 + round(a[k + 1]! * b[k + 1]!))
    p2 = round(p2 + round(a[k + 2]! * b[k + 2]!))
    p3 = round(p3 + round(a[k + 3]! * b[k + 3]!))
    p4 = round(p4 + round(a[k + 4]! * b[k + 4]!))
    p5 = round(p5 + round(a[k + 5]! * b[k + 5]!))
    p6 = round(p6 + round(a[k + 6]! * b[k + 6]!))
    p7 = round(p7 + round(a[k + 7]! * b[k + 7]!))
  }
  const p = Float32Array.of(p0, p1, p2, p3, p4, p5, p6, p7)
  for (let k = whole; k < a.length; k++) p[k - whole] = p[k - whole]! + round(a[k]! * b[k]!)
  return joinPartials(p)
}

/** ((p0 + p4) + (p2 + p6)) + ((p1 + p5) + (p3 + p7)) (E-11); the partials are written over. */
export function joinPartials(p: Float32Array): number {
  for (const apart of [4, 2, 1]) for (let i = 0; i < apart; i++) p[i] = p[i]! + p[i + apart]!
  return p[0]!
}
