import { RandomStream } from '@potluck/engine'

const numbers = (
  seed: number,
  length: number,
  of: (normal: number, uniform: number, i: number) => number,
): Float32Array => {
  const random = new RandomStream(Uint8Array.of(seed, 1), 98, 0)
  const flat = new RandomStream(Uint8Array.of(seed, 2), 98, 0)
  return Float32Array.from({ length }, (_, i) => of(random.normal(i), flat.uniform(i), i))
}

/** Updates that a codec must live with, by what is odd about them. For tests. */
export const testTensors: ReadonlyMap<string, Float32Array> = new Map([
  ['one value', Float32Array.of(-0.5)],
  ['one zero', Float32Array.of(0)],
  ['near normal, 3 chunks and a rest', numbers(1, 3 * 4096 + 77, (x) => x * 0.001)],
  ['exactly one chunk', numbers(2, 4096, (x) => x)],
  ['one more than a chunk', numbers(3, 4097, (x) => x)],
  ['shorter than what is kept', numbers(4, 50, (x) => x)],
  ['odd and short', numbers(5, 1021, (x) => x * 1e-6)],
  ['all zero', new Float32Array(9000)],
  ['zeros of both signs', Float32Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? 0 : -0))],
  ['all equal', new Float32Array(5000).fill(0.125)],
  ['equal magnitudes', numbers(6, 5000, (_, u) => (u < 0.5 ? -3 : 3))],
  ['few that are not zero', numbers(7, 12000, (x, u) => (u < 0.003 ? x : 0))],
  ['a middle chunk of zeros', numbers(8, 3 * 4096, (x, _, i) => (i >= 4096 && i < 8192 ? 0 : x))],
  ['smaller than any scale', numbers(9, 5000, (x) => x * 1e-44)],
  ['denormal', numbers(10, 5000, (x) => x * 1e-39)],
  ['huge', numbers(11, 5000, (x) => x * 5e37)],
  ['the largest', new Float32Array(4200).fill(-3.4028234663852886e38)],
  ['heavy tails', numbers(12, 9000, (x) => x * x * x * x * x * 1e-3)],
  ['columns of a matrix of 96', numbers(13, 9600, (x, _, i) => x * (i % 96 < 9 ? 1 : 0.01))],
])
