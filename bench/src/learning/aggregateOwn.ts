/**
 * Our aggregation in a process of its own: `node aggregateOwn.ts COUNT P ROUNDS` prints times as a line of JSON. Updates scatter
 * around the reference, so that all have weight and the second pass reads them all.
 *
 * A pass goes over the updates in groups. Of each group the best time of all rounds counts, of the plain read as of the passes: both are
 * then slowed equally little by whatever else the machine does.
 */
import { pathToFileURL } from 'node:url'
import { aggregateStream, plainUpdateKernels, type UpdateKernels, wasmUpdateKernels } from '@potluck/learning'
import { createNativeUpdateKernels } from '@potluck/runtime'
import { BestTimes } from './aggregateBestTimes.ts'
import { buildPlainRead } from './aggregatePlainRead.ts'

/** Milliseconds: one plain read of all updates, the two passes over them, and all else that the rule does. */
export type PassTimes = {
  readonly readMs: number
  readonly sumsMs: number
  readonly addMs: number
  readonly restMs: number
}
export type OwnAggregation = {
  /** With one thread and with two. */
  readonly native: readonly PassTimes[]
  readonly wasm: PassTimes
  readonly typescript: PassTimes
  /** By how much the process grew beyond its inputs in the native runs: the peak of its resident memory. */
  readonly grownBytes: number
  readonly weighed: number
}

export function roundOf(
  count: number,
  P: number,
): { base: Float32Array; reference: Float32Array; updates: Float32Array[] } {
  const noise = new Float32Array(P + count)
  let word = 1
  for (let i = 0; i < noise.length; i++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0
    noise[i] = word / 2 ** 31
  }
  const reference = noise.slice(count)
  const updates = Array.from({ length: count }, (_, i) => {
    const update = new Float32Array(P)
    for (let j = 0; j < P; j++) update[j] = 0.01 * (reference[j]! + 0.7 * noise[j + i]!)
    return update
  })
  return { base: new Float32Array(P).fill(0.5), reference, updates }
}

/** The kernels, with the time of each call noted. */
function clocked(kernels: UpdateKernels, times: BestTimes): UpdateKernels {
  return {
    together: kernels.together,
    measure: (...given) => times.of('sums', () => kernels.measure(...given)),
    add: (...given) => times.of('add', () => kernels.add(...given)),
  }
}

async function main(count: number, P: number, rounds: number): Promise<OwnAggregation> {
  const plainRead = buildPlainRead()
  const { base, reference, updates } = roundOf(count, P)
  const peakBytes = (): number => process.resourceUsage().maxRSS * 1024
  let weighed = 0
  async function timesOf(kernels: UpdateKernels, threads: number, times: BestTimes): Promise<void> {
    times.begin()
    for (let i = 0; i < count; i += kernels.together) {
      times.of('read', () => plainRead(updates.slice(i, i + kernels.together), threads))
    }
    const start = performance.now()
    const { weights } = await aggregateStream(() => updates, base, reference, clocked(kernels, times))
    times.note('rest', performance.now() - start - times.last('sums') - times.last('add'))
    weighed = weights.filter((weight) => weight > 0).length
  }
  const teams = [1, 2].map((threads) => ({ kernels: createNativeUpdateKernels({ threads }), times: new BestTimes() }))
  const before = peakBytes()
  for (let round = 0; round < rounds; round++) {
    for (const { kernels, times } of teams) await timesOf(kernels, kernels.threads, times)
  }
  const grownBytes = peakBytes() - before
  const [wasm, plain] = [new BestTimes(), new BestTimes()]
  for (let round = 0; round < rounds; round++) await timesOf(wasmUpdateKernels(), 1, wasm)
  for (let round = 0; round < 2; round++) await timesOf({ ...plainUpdateKernels, together: 8 }, 1, plain)
  for (const { kernels } of teams) kernels.close()
  return {
    native: teams.map(({ times }) => summed(times)),
    wasm: summed(wasm),
    typescript: summed(plain),
    grownBytes,
    weighed,
  }
}

const summed = (times: BestTimes): PassTimes => ({
  readMs: times.best('read'),
  sumsMs: times.best('sums'),
  addMs: times.best('add'),
  restMs: times.best('rest'),
})

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [count = 100, P = 2_000_000, rounds = 3] = process.argv.slice(2).map(Number)
  console.log(JSON.stringify(await main(count, P, rounds)))
}
