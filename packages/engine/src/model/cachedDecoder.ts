import { PotluckError } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import type { Execution } from '../program/Execution.ts'
import { decodeProgram, prefillProgram, type SequenceModel } from './decodePrograms.ts'
import { type ModelWeights, writeWeights } from './ModelWeights.ts'

/** Several sequences being continued side by side, each at a position of its own. */
export type CachedDecoder = {
  /** Reads whole windows, in one pass; what was read before is forgotten. Gives the logits after each, [B, V]. */
  read(windows: readonly ArrayLike<number>[]): Promise<Float32Array>
  /** Appends one token to each sequence and gives the logits after it, [B, V]. */
  append(tokens: readonly number[]): Promise<Float32Array>
}

/**
 * A decoder that keeps keys and values, so that each token costs one pass over the weights. Its logits have the bits of
 * the full pass over the same window (E-37).
 *
 * @param B      sequences
 * @param length most tokens that a sequence will have, at most the context; rounded up to 16·2^n places of cache
 * @throws PotluckError SHAPE for weights of another size; CONTEXT_FULL when a sequence grows beyond the context
 */
export function cachedDecoder(
  engine: Engine,
  model: SequenceModel,
  weights: ModelWeights,
  B: number,
  length: number,
): CachedDecoder {
  const { context, width: C, layers } = model.form
  const L = places(Math.min(length, context), context)
  let decoding: Promise<Execution> | undefined
  const prefills = new Map<number, Promise<Execution>>()
  const lengths = new Array<number>(B).fill(0)
  const prepared = async (program: ReturnType<typeof decodeProgram>): Promise<Execution> => {
    const execution = await engine.prepare(program)
    writeWeights(execution, model, weights)
    return execution
  }
  const decoder = (): Promise<Execution> => {
    decoding ??= prepared(decodeProgram(model, B, L))
    return decoding
  }
  return {
    async read(windows) {
      const longest = Math.max(...windows.map((window) => window.length))
      if (longest > L || windows.some((window) => window.length === 0)) throw full(longest, L)
      const P = places(longest, L)
      const prefill = prefills.get(P) ?? prepared(prefillProgram(model, B, P))
      prefills.set(P, prefill)
      const execution = await prefill
      const tokens = new Int32Array(B * P)
      windows.forEach((window, b) => {
        tokens.set(Array.from(window), b * P)
        lengths[b] = window.length
      })
      execution.write('tokens', tokens)
      execution.write(
        'positions',
        Int32Array.from({ length: P }, (_, t) => t),
      )
      execution.write(
        'last',
        Int32Array.from(lengths, (count, b) => b * P + count - 1),
      )
      execution.run()
      const to = await decoder()
      for (let layer = 0; layer < layers; layer++) {
        to.write(`keys${layer}`, turned(execution.read(`keys${layer}`), B, P, C, L))
        to.write(`values${layer}`, spread(execution.read(`values${layer}`), B, P, C, L))
      }
      return execution.read('logits')
    },
    async append(tokens) {
      const most = Math.max(...lengths) + 1
      if (most > L) throw full(most, L)
      const execution = await decoder()
      execution.write('tokens', Int32Array.from(tokens))
      execution.write('positions', Int32Array.from(lengths))
      execution.write(
        'places',
        Int32Array.from({ length: B * C }, (_, i) => lengths[Math.floor(i / C)]!),
      )
      execution.run()
      for (let b = 0; b < B; b++) lengths[b]!++
      return execution.read('logits')
    },
  }
}

/** The smallest 16·2^n that holds `count`, at most `limit`: few sizes, so that few programs are compiled. */
function places(count: number, limit: number): number {
  let size = 16
  while (size < count) size *= 2
  return Math.min(size, limit)
}

const full = (length: number, L: number): PotluckError =>
  new PotluckError('CONTEXT_FULL', `a sequence takes 1 to ${L} tokens here, got ${length}: read a shorter window`)

/** Keys [B·P, C] as [B·C, L]. */
function turned(rows: Float32Array, B: number, P: number, C: number, L: number): Float32Array {
  const out = new Float32Array(B * C * L)
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < P; t++) {
      for (let c = 0; c < C; c++) out[(b * C + c) * L + t] = rows[(b * P + t) * C + c]!
    }
  }
  return out
}

/** Values [B·P, C] as [L, B·C]. */
function spread(rows: Float32Array, B: number, P: number, C: number, L: number): Float32Array {
  const out = new Float32Array(L * B * C)
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < P; t++) out.set(rows.subarray((b * P + t) * C, (b * P + t + 1) * C), (t * B + b) * C)
  }
  return out
}
