import { RandomStream } from '@potluck/engine'

const edges = [0, -0, 1e-40, -1e-45, 1.1754944e-38, 1, -1, 16777216, 1e-20]

/** Normal values; with `edged` every seventh is an edge of f32 (signed zeros, subnormals, 2^24). */
export function sampleValues(count: number, seed: number, edged = true): Float32Array {
  const random = new RandomStream(Uint8Array.of(seed), 98, 0)
  return Float32Array.from({ length: count }, (_, i) =>
    edged && i % 7 === 3 ? edges[Math.floor(i / 7) % edges.length]! : random.normal(i),
  )
}
