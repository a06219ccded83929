import { RandomStream, streamPurpose } from '../random/RandomStream.ts'

/**
 * The order of N rows in one epoch (E-32): Fisher and Yates from the last place down, with number N − 1 − i of the
 * stream `batches`, step = epoch, for place i: order[i] and order[below(N − 1 − i, i + 1)] change places.
 */
export function permutationOf(seed: Uint8Array, epoch: number, N: number): Uint32Array {
  const random = new RandomStream(seed, streamPurpose.batches, epoch)
  const order = Uint32Array.from({ length: N }, (_, i) => i)
  for (let i = N - 1; i > 0; i--) {
    const j = random.below(N - 1 - i, i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/**
 * Gives the rows of each step: the epochs' orders follow each other without gap, step s (from 0) takes places s·B to
 * s·B + B − 1. A batch may begin in one epoch and end in the next; a function of (seed, step) alone.
 */
export function rowDrawer(seed: Uint8Array, N: number, B: number): (step: number) => Uint32Array {
  let known = -1
  let order: Uint32Array = new Uint32Array(0)
  return (step) =>
    Uint32Array.from({ length: B }, (_, b) => {
      const place = step * B + b
      const epoch = Math.floor(place / N)
      if (epoch !== known) {
        known = epoch
        order = permutationOf(seed, epoch, N)
      }
      return order[place % N]!
    })
}
