import type { Aggregate } from './Rule.ts'
import { isSound } from './soundUpdates.ts'
import { plainUpdateKernels, sumOfProducts } from './streamAggregateKernels.ts'
import { boundedTo, weighUpdates } from './streamAggregateWeights.ts'

/**
 * The default rule: the arithmetic of `aggregateProgram`, bit for bit (L-13 … L-15), without an engine. The program is what a dispute
 * runs; this is what a simulation or a bench of a thousand rounds can afford.
 *
 * The program's next model is fround(base − update). Its weights are cosines and the margin; here they are divided by the sum of all,
 * the reference's included, so that together they are 4/5, or all 0. Where `aggregateStream` throws at a NaN, an update with one weighs
 * nothing here.
 *
 * Order: that of the program, in f32. Cost: 3 passes over the updates. Source: FLTrust, arXiv:2012.13995, with equalised norms.
 */
export function referenceWeighted(updates: readonly Float32Array[], reference: Float32Array): Aggregate {
  const inside = boundedTo(reference)
  const measured = updates.map((update) =>
    isSound(update)
      ? { square: sumOfProducts(update, update), dot: sumOfProducts(update, inside), isOutside: false }
      : undefined,
  )
  const { weights, factors, referenceFactor, total } = weighUpdates(measured, sumOfProducts(inside, inside))
  const update = new Float32Array(reference.length)
  const isHeard = (_: unknown, i: number): boolean => weights[i]! > 0
  plainUpdateKernels.add(updates.filter(isHeard), factors.filter(isHeard), update)
  plainUpdateKernels.add([inside], Float32Array.of(referenceFactor), update)
  for (let j = 0; j < update.length; j++) update[j] = update[j]! / total
  return { update, weights: weights.map((weight) => weight / total) }
}
