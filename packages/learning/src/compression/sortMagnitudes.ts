const BITS = 11
const SIZE = 1 << BITS

/**
 * The magnitudes of `values`, the largest first: a radix sort over their bits, whose order is that of the numbers.
 *
 * @param values finite f32; read only
 * @returns the first values.length of `room`, until the next call with the same room
 *
 * Cost: four passes; some six times faster than `sort` for the 4,096 values of a chunk.
 */
export function sortMagnitudes(values: Float32Array, room: SortingRoom): Float32Array {
  const { length } = values
  const source = new Uint32Array(values.buffer, values.byteOffset, length)
  let [keys, next] = [room.keys, room.next]
  const counts = room.counts.fill(0)
  for (let i = 0; i < length; i++) {
    // Turned around, so that ascending keys are descending magnitudes.
    const key = 0x7fffffff - (source[i]! & 0x7fffffff)
    keys[i] = key
    counts[key & (SIZE - 1)]!++
    counts[SIZE + ((key >>> BITS) & (SIZE - 1))]!++
    counts[2 * SIZE + (key >>> (2 * BITS))]!++
  }
  for (let pass = 0; pass < 3; pass++) {
    const places = counts.subarray(pass * SIZE, (pass + 1) * SIZE)
    let sum = 0
    for (let digit = 0; digit < SIZE; digit++) {
      const count = places[digit]!
      places[digit] = sum
      sum += count
    }
    const shift = pass * BITS
    for (let i = 0; i < length; i++) {
      const key = keys[i]!
      next[places[(key >>> shift) & (SIZE - 1)]!++] = key
    }
    ;[keys, next] = [next, keys]
  }
  for (let i = 0; i < length; i++) room.bits[i] = 0x7fffffff - keys[i]!
  return room.sorted.subarray(0, length)
}

export type SortingRoom = {
  readonly keys: Uint32Array
  readonly next: Uint32Array
  readonly counts: Uint32Array
  readonly bits: Uint32Array
  /** The same memory as `bits`. */
  readonly sorted: Float32Array
}

/** Memory to sort up to `most` values in, again and again. */
export function sortingRoom(most: number): SortingRoom {
  const sorted = new Float32Array(most)
  return {
    keys: new Uint32Array(most),
    next: new Uint32Array(most),
    counts: new Uint32Array(3 * SIZE),
    bits: new Uint32Array(sorted.buffer),
    sorted,
  }
}
