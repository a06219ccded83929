import { PotluckError } from '@potluck/protocol'

export type BufferPolicy = {
  /** Updates that make one step of the model (K). */
  readonly size: number
  /** Updates computed from a model more steps old than this are refused. */
  readonly mostStaleness: number
}

/** What an asynchronous run has gathered since its last step. */
export type UpdateBuffer = {
  /** Steps made so far: the number of the model that members fetch now. */
  readonly version: number
  readonly count: number
  /** Sum of the weighted updates, in f64. */
  readonly sum: Float64Array
}

export type Buffered =
  | {
      readonly ok: true
      readonly weight: number
      readonly buffer: UpdateBuffer
      /** The step to apply when the buffer is full, else undefined. */
      readonly step: Float32Array | undefined
    }
  | { readonly ok: false; readonly rule: 'L-72'; readonly why: string }

export const emptyBuffer = (P: number): UpdateBuffer => ({ version: 0, count: 0, sum: new Float64Array(P) })

/**
 * Takes one update as it comes, without rounds (L-72): each is weighed by the steps made since its base, and every K-th makes a step.
 *
 *   weight = 1 / sqrt(1 + staleness)          step = fround(Σ weight_i · u_i / K)
 *
 * The order of the updates is part of the input: members who apply the same ones in the same order hold the same bits.
 * Source: FedBuff, arXiv:2106.06639, where the sum is divided by K, not by the weights: a stale buffer makes a shorter step.
 *
 * @param buffer read only; `sum` of the result is a new array
 * @param baseVersion number of the model that the update was computed from
 * @throws PotluckError SHAPE for another length; BAD_BUFFER for a policy below 1 or a base that is not there yet
 */
export function bufferUpdate(
  buffer: UpdateBuffer,
  policy: BufferPolicy,
  update: Float32Array,
  baseVersion: number,
): Buffered {
  const { size, mostStaleness } = policy
  if (!Number.isSafeInteger(size) || size < 1 || !Number.isSafeInteger(mostStaleness) || mostStaleness < 0) {
    throw new PotluckError('BAD_BUFFER', `size must be at least 1, got ${size}; mostStaleness 0, got ${mostStaleness}`)
  }
  if (update.length !== buffer.sum.length)
    throw new PotluckError('SHAPE', `expected ${buffer.sum.length} values, got ${update.length}`)
  const staleness = buffer.version - baseVersion
  if (!Number.isSafeInteger(baseVersion) || baseVersion < 0 || staleness < 0) {
    throw new PotluckError('BAD_BUFFER', `base ${baseVersion} is no model so far: the newest is ${buffer.version}`)
  }
  if (staleness > mostStaleness) {
    const why = `the update is ${staleness} steps old, at most ${mostStaleness} count: fetch the newest model and train again`
    return { ok: false, rule: 'L-72', why }
  }
  const weight = 1 / Math.sqrt(1 + staleness)
  const sum = buffer.sum.map((value, p) => value + weight * update[p]!)
  if (buffer.count + 1 < size) {
    return { ok: true, weight, buffer: { version: buffer.version, count: buffer.count + 1, sum }, step: undefined }
  }
  const empty = { version: buffer.version + 1, count: 0, sum: new Float64Array(sum.length) }
  return { ok: true, weight, buffer: empty, step: Float32Array.from(sum, (value) => value / size) }
}
