/**
 * Compares the contracts' arithmetic with this machine's, batch by batch, as calls on a chain. Also what `bench referee` runs on.
 *
 * `Math.fround` of an f64 +, −, ·, / or sqrt of two f32 values is the correctly rounded f32: 53 bits are more than twice 24 plus one.
 */
import { decodeFunctionResult, encodeFunctionData, type Hex, toHex } from 'viem'
import { softFloatsAbi, softFloatsBytecode } from '../../../packages/chain/src/generated/SoftFloats.ts'
import type { Evm } from './evm.ts'
import { deploy } from './world.ts'

/** Numbers of E-04. */
export const floatOperations = {
  add: 3,
  subtract: 4,
  multiply: 5,
  divide: 6,
  sqrt: 7,
  negate: 8,
  absolute: 9,
  less: 10,
  lessOrEqual: 11,
  equal: 12,
  toFloat: 16,
} as const
export type FloatOperation = keyof typeof floatOperations

export type Pair = readonly [a: number, b: number]
export type Difference = { operation: FloatOperation; a: number; b: number; got: number; wanted: number }

const NAN_WORD = 0x7fc00000
const view = new DataView(new ArrayBuffer(4))

export function floatOf(word: number): number {
  view.setUint32(0, word)
  return view.getFloat32(0)
}

export function wordOf(value: number): number {
  if (Number.isNaN(value)) return NAN_WORD
  view.setFloat32(0, value)
  return view.getUint32(0)
}

/** What this machine says. */
export function wantedWord(operation: FloatOperation, a: number, b: number): number {
  const [x, y] = [floatOf(a), floatOf(b)]
  switch (operation) {
    case 'add':
      return wordOf(x + y)
    case 'subtract':
      return wordOf(x - y)
    case 'multiply':
      return wordOf(x * y)
    case 'divide':
      return wordOf(x / y)
    case 'sqrt':
      return wordOf(Math.sqrt(x))
    case 'negate':
      return wordOf(-x)
    case 'absolute':
      return wordOf(Math.abs(x))
    case 'less':
      return x < y ? 1 : 0
    case 'lessOrEqual':
      return x <= y ? 1 : 0
    case 'equal':
      return x === y ? 1 : 0
    case 'toFloat':
      return wordOf(a | 0)
  }
}

/** A contract to ask, on a chain that may be thrown away. */
export async function deploySoftFloats(evm: Evm) {
  const [from] = await evm.accounts(77, 1)
  if (!from) throw new Error('the chain gave no account')
  const { address } = await deploy(evm, from, softFloatsAbi, softFloatsBytecode, [])
  return async (operation: FloatOperation, pairs: readonly Pair[]): Promise<number[]> => {
    const words = new DataView(new ArrayBuffer(8 * pairs.length))
    pairs.forEach(([a, b], i) => {
      words.setUint32(8 * i, a)
      words.setUint32(8 * i + 4, b)
    })
    const args = [BigInt(floatOperations[operation]), toHex(new Uint8Array(words.buffer))] as const
    const data = encodeFunctionData({ abi: softFloatsAbi, functionName: 'batch', args })
    const answer = (await evm.raw('eth_call', [{ to: address, data, gas: toHex(16_000_000) }, 'latest'])) as Hex
    const results = decodeFunctionResult({ abi: softFloatsAbi, functionName: 'batch', data: answer })
    return pairs.map((_, i) => Number.parseInt(results.slice(2 + 8 * i, 10 + 8 * i), 16))
  }
}

/** Where contract and machine differ on these pairs. */
export async function differences(
  ask: Awaited<ReturnType<typeof deploySoftFloats>>,
  operation: FloatOperation,
  pairs: readonly Pair[],
): Promise<Difference[]> {
  const found: Difference[] = []
  for (let at = 0; at < pairs.length; at += BATCH) {
    const batch = pairs.slice(at, at + BATCH)
    const got = await ask(operation, batch)
    batch.forEach(([a, b], i) => {
      const wanted = wantedWord(operation, a, b)
      if (got[i] !== wanted) found.push({ operation, a, b, got: got[i] as number, wanted })
    })
  }
  return found
}

// At most 3,000 gas a pair: below the cap that a chain puts on one call.
const BATCH = 4_000

/**
 * Runs `vectors` seeded pairs, split evenly over the operations.
 *
 * Cost: about a minute for 10^6 on the in-process chain.
 */
export async function checkSoftFloat(
  evm: Evm,
  { vectors, seed }: { vectors: number; seed: number },
): Promise<{ vectors: number; wrong: number; first: Difference | undefined }> {
  const ask = await deploySoftFloats(evm)
  const operations = Object.keys(floatOperations) as FloatOperation[]
  const random = randomWords(seed)
  let [done, wrong] = [0, 0]
  let first: Difference | undefined
  for (const [i, operation] of operations.entries()) {
    const count = Math.floor((vectors * (i + 1)) / operations.length) - done
    const found = await differences(
      ask,
      operation,
      Array.from({ length: count }, () => randomPair(random)),
    )
    done += count
    wrong += found.length
    first ??= found[0]
  }
  return { vectors: done, wrong, first }
}

/** Seeded 32-bit words (splitmix32). */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}

/** Half of them any bits; else two numbers whose exponents are close, one significand often of few bits: there ties and cancellation are. */
export function randomPair(next: () => number): Pair {
  const [a, b, how] = [next(), next(), next()]
  if (how & 1) return [a, b]
  const exponent = (((a >>> 23) & 255) + ((how >>> 8) % 57) - 28 + 256) % 256
  const few = how & 2 ? 0xfffff000 : 0xffffffff
  const near = ((b & 0x807fffff) | (exponent << 23)) & few
  return how & 4 ? [near >>> 0, a] : [a, near >>> 0]
}
