import { RandomStream, streamPurpose } from '../random/RandomStream.ts'

/** The dropout noise of a step (from 0): element i is uniform number i of the stream `noise` (E-33). */
export function noiseOf(seed: Uint8Array, step: number, size: number): Float32Array {
  const random = new RandomStream(seed, streamPurpose.noise, step)
  return Float32Array.from({ length: size }, (_, i) => random.uniform(i))
}
