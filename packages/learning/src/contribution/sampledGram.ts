import { RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

const purpose = { coordinates: 80 } as const

/**
 * Inner products of unit vectors, of as many as are given: how alike any two of them point. Of long vectors a sample of the
 * elements stands for all.
 *
 * @param sample most elements that are looked at; drawn with replacement from the seed, which must not be known when updates are made
 * @returns [n, n] row by row; 0 for a vector without length
 *
 * Order: f64 sums over the sample in the order drawn, over all elements ascending. Cost: n²/2 products of `sample` numbers.
 */
export function sampledGram(vectors: readonly Float32Array[], seed: Uint8Array, sample = 65_536): Float64Array {
  const n = vectors.length
  const P = vectors[0]?.length ?? 0
  const bad = vectors.findIndex((vector) => vector.length !== P)
  if (bad >= 0) throw new PotluckError('SHAPE', `vector ${bad} has ${vectors[bad]!.length} numbers, the first has ${P}`)
  const places = P > sample ? samplePlaces(P, seed, sample) : undefined
  const units = vectors.map((vector) => unitOf(Float64Array.from(places ? elementsAt(vector, places) : vector)))
  const gram = new Float64Array(n * n)
  for (let a = 0; a < n; a++) {
    for (let b = a; b < n; b++) {
      gram[a * n + b] = dotOf(units[a]!, units[b]!)
      gram[b * n + a] = gram[a * n + b]!
    }
  }
  return gram
}

/** So many places among P, drawn with replacement: the same for every vector of a round. */
export function samplePlaces(P: number, seed: Uint8Array, sample: number): Uint32Array {
  const random = new RandomStream(seed, purpose.coordinates, 0)
  return Uint32Array.from({ length: sample }, (_, i) => random.below(i, P))
}

/** The elements of a vector at these places, in their order. */
export function elementsAt(vector: Float32Array, places: Uint32Array): Float32Array {
  return Float32Array.from(places, (place) => vector[place]!)
}

function unitOf(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dotOf(vector, vector))
  return length > 0 ? vector.map((x) => x / length) : vector
}

function dotOf(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}
