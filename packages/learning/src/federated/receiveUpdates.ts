import { compressUpdate } from '../compression/compressUpdate.ts'
import { UPDATE_FRAME_BYTES } from '../compression/updateMessage.ts'
import { addUserNoise } from '../privacy/userNoise.ts'
import { wordStream } from '../secureSum/wordStream.ts'
import type { FederatedOptions } from './FederatedOptions.ts'
import { federatedSeed } from './federatedSeed.ts'
import { maskedMean } from './maskedGroups.ts'

type Received = { readonly updates: readonly Float32Array[]; readonly bytes: number }

/** What receivers decode of each member's message. */
export function receiveEach(
  { compression = { kind: 'f32' }, noise, clients, seed }: FederatedOptions,
  members: readonly number[],
  sent: readonly Float32Array[],
  residuals: Map<number, Float32Array>,
  round: number,
): Received {
  let bytes = 0
  const updates = sent.map((delta, i) => {
    const member = members[i]!
    const words = (): (() => bigint) => wordStream(noiseSeed(seed, round, clients[member]!.id))
    const hidden = noise ? addUserNoise(delta, noise.clip, noise.multiplier, words()) : delta
    const packed = compressUpdate(hidden, residuals.get(member), compression)
    if (packed.residual) residuals.set(member, packed.residual)
    bytes += packed.bytes.length + UPDATE_FRAME_BYTES
    return packed.update
  })
  return { updates, bytes }
}

/** The mean of each group, as its masked sum gives it. */
export function sumGroups(
  { masks, noise, clients, seed }: FederatedOptions,
  groups: readonly (readonly number[])[],
  sent: readonly Float32Array[],
  sizes: readonly number[],
  round: number,
): Received {
  const means = groups.map((group) => {
    const members = group.map((client) => {
      const { id } = clients[client]!
      return { id, update: sent[client]!, size: sizes[client]!, secret: noiseSeed(seed, round, id) }
    })
    return maskedMean(members, masks!, noise, round)
  })
  return {
    updates: means.map(({ mean }) => mean),
    bytes: sum(means.map(({ bytes }) => bytes)) + clients.length * UPDATE_FRAME_BYTES,
  }
}

/** In a real network this is each client's own secret; here it follows from the run's seed, so that a run can be repeated. */
const noiseSeed = (seed: Uint8Array, round: number, id: string): Uint8Array =>
  federatedSeed(seed, round, `noise of ${id}`)

/** A group's weight and norm, told to its members: the weight by rows, or in equal parts. */
export function ofMembers(
  groups: readonly (readonly number[])[],
  weights: Float32Array,
  updates: readonly Float32Array[],
  sizes: readonly number[],
  isEqual: boolean,
): { weights: Float32Array; norms: Float32Array } {
  const own = { weights: new Float32Array(sizes.length), norms: new Float32Array(sizes.length) }
  groups.forEach((group, g) => {
    const rows = sum(group.map((client) => sizes[client]!))
    for (const client of group) {
      own.weights[client] = weights[g]! * (isEqual ? 1 / group.length : sizes[client]! / rows)
      own.norms[client] = normOf(updates[g]!)
    }
  })
  return own
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export const normOf = (update: Float32Array): number => {
  let square = 0
  for (let i = 0; i < update.length; i++) square += update[i]! * update[i]!
  return Math.sqrt(square)
}
