import type { Aggregate } from './Rule.ts'
import { isSound, LARGEST_ELEMENT } from './soundUpdates.ts'

/** 2^-40, as L-15 has it. */
const SMALLEST_NORM = 1 / 1_099_511_627_776
const round = Math.fround

/**
 * The default rule: the arithmetic of `aggregateProgram`, bit for bit (L-13 … L-15), without an engine. The program is what a dispute
 * runs; this is what a simulation or a bench of a thousand rounds can afford.
 *
 * The program's next model is fround(base − update). Its weights are cosines; here they are divided by their sum.
 *
 * Order: that of the program, in f32. Cost: 3 passes over the updates. Source: FLTrust, arXiv:2012.13995, with equalised norms.
 */
export function referenceWeighted(updates: readonly Float32Array[], reference: Float32Array): Aggregate {
  const P = reference.length
  const g = reference.map((x) => (Math.abs(x) <= LARGEST_ELEMENT ? x : 0))
  const target = normOf(g)
  const norms = new Float32Array(updates.length)
  const weights = updates.map((update, i) => {
    // An unsound update weighs nothing, so what its sums would be does not matter.
    if (!isSound(update)) return 0
    const norm = normOf(update)
    norms[i] = norm
    if (norm < SMALLEST_NORM || target < SMALLEST_NORM) return 0
    const cosine = round(dotOf(update, g) / round(norm * target))
    return cosine > 0 ? cosine : 0
  })
  const counted = norms.filter((_, i) => weights[i]! > 0).sort()
  const median = counted[(counted.length - 1) >> 1] ?? 0
  const wanted = median < target ? median : target
  const total = sumOf(weights)
  const update = new Float32Array(P)
  if (!(total > 0)) return { update, weights: new Float32Array(updates.length) }
  updates.forEach((row, i) => {
    if (weights[i]! > 0) addScaled(update, row, round(round(weights[i]! * wanted) / norms[i]!))
  })
  for (let j = 0; j < P; j++) update[j] = update[j]! / total
  return { update, weights: Float32Array.from(weights, (weight) => weight / total) }
}

function addScaled(sum: Float32Array, row: Float32Array, factor: number): void {
  for (let j = 0; j < row.length; j++) sum[j] = sum[j]! + round(row[j]! * factor)
}

const normOf = (row: Float32Array): number => round(Math.sqrt(dotOf(row, row)))

/** Σ a·b as E-11 has it: eight strided partial sums and their tree. */
function dotOf(a: Float32Array, b: Float32Array): number {
  let [p0, p1, p2, p3, p4, p5, p6, p7] = [0, 0, 0, 0, 0, 0, 0, 0]
  const whole = a.length - (a.length % 8)
  for (let j = 0; j < whole; j += 8) {
    p0 = round(p0 + round(a[j]! * b[j]!))
    p1 = round(p1 + round(a[j + 1]! * b[j + 1]!))
    p2 = round(p2 + round(a[j + 2]! * b[j + 2]!))
    p3 = round(p3 + round(a[j + 3]! * b[j + 3]!))
    p4 = round(p4 + round(a[j + 4]! * b[j + 4]!))
    p5 = round(p5 + round(a[j + 5]! * b[j + 5]!))
    p6 = round(p6 + round(a[j + 6]! * b[j + 6]!))
    p7 = round(p7 + round(a[j + 7]! * b[j + 7]!))
  }
  const partials = Float32Array.of(p0, p1, p2, p3, p4, p5, p6, p7)
  for (let j = whole; j < a.length; j++) partials[j - whole] = partials[j - whole]! + round(a[j]! * b[j]!)
  return treeOf(partials)
}

function sumOf(values: readonly number[]): number {
  const partials = new Float32Array(8)
  values.forEach((value, k) => {
    partials[k % 8] = partials[k % 8]! + value
  })
  return treeOf(partials)
}

function treeOf(partials: Float32Array): number {
  for (const apart of [4, 2, 1]) for (let i = 0; i < apart; i++) partials[i] = partials[i]! + partials[i + apart]!
  return partials[0]!
}
