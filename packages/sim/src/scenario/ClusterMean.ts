import { type WeightedUpdate, weightedMeanOf } from '@potluck/learning'
import { concatBytes, PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import type { DeliveryReader, OpenedDelivery } from './Delivery.ts'
import { gatherUpdates } from './gatherUpdates.ts'
import type { Scenario } from './Scenario.ts'

/** What a cluster sends to the others, in its bytes; the id is their hash. Never changed. */
export type ClusterMean = { readonly id: string; readonly bytes: Uint8Array }

const purpose = utf8('potluck simulated mean')
const HEADER_BYTES = 9
const dense = 0
const sparse = 1

/**
 * One mean and its weight on the wire, exactly: a byte for the form, eight for the weight, then all values, or a bit for each value and
 * those that are not zero, whichever is shorter. Little-endian, as on every machine that runs this.
 */
export function sealMean({ update, weight }: WeightedUpdate): ClusterMean {
  const words = new Uint32Array(update.buffer, update.byteOffset, update.length)
  const bits = new Uint8Array((update.length + 7) >> 3)
  const kept: number[] = []
  words.forEach((word, p) => {
    // The bits decide: minus zero is kept.
    if (word === 0) return
    bits[p >> 3] = (bits[p >> 3] ?? 0) | (1 << (p & 7))
    kept.push(word)
  })
  const header = new Uint8Array(HEADER_BYTES)
  const isSparse = bits.length + 4 * kept.length < 4 * update.length
  header[0] = isSparse ? sparse : dense
  new DataView(header.buffer).setBigUint64(1, BigInt(weight), true)
  const body = isSparse ? [bits, bytesOf(Uint32Array.from(kept))] : [bytesOf(words)]
  const bytes = concatBytes(header, ...body)
  return { id: idOf(bytes), bytes }
}

/** Whether these are the bytes behind the id. */
export const isMean = (bytes: unknown, id: string): bytes is Uint8Array =>
  bytes instanceof Uint8Array && idOf(bytes) === id

/**
 * @param P numbers of the model
 * @throws PotluckError BAD_MEAN for another form, length or weight than one that `sealMean` makes
 */
export function openMean({ bytes }: ClusterMean, P: number): WeightedUpdate {
  const refuse = (why: string): never => {
    throw new PotluckError('BAD_MEAN', `the mean of a cluster cannot be read: ${why}`)
  }
  if (bytes.length < HEADER_BYTES) return refuse(`${bytes.length} bytes, at least ${HEADER_BYTES}`)
  const weight = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1, true))
  if (!Number.isSafeInteger(weight) || weight < 1) return refuse(`its weight is ${weight}, which is not whole from 1`)
  const update = new Float32Array(P)
  const words = new Uint32Array(update.buffer)
  const body = bytes.slice(HEADER_BYTES)
  if (bytes[0] === dense) {
    if (body.length !== 4 * P) return refuse(`${body.length} bytes for ${P} values`)
    words.set(new Uint32Array(body.buffer))
    return { update, weight }
  }
  if (bytes[0] !== sparse) return refuse(`the form ${bytes[0]} is unknown`)
  const mapBytes = (P + 7) >> 3
  const values = new DataView(body.buffer)
  let at = mapBytes
  for (let p = 0; p < P; p++) {
    if (((body[p >> 3] ?? 0) & (1 << (p & 7))) === 0) continue
    if (at + 4 > body.length) return refuse('it has fewer values than its bits say')
    words[p] = values.getUint32(at, true)
    at += 4
  }
  if (at !== body.length) return refuse(`${body.length} bytes where its bits say ${at}`)
  return { update, weight }
}

/** The mean over the deliveries of one cluster with the weight behind it: rows for `weighted`, members for `mean`. */
export function clusterMean(
  scenario: Scenario,
  reader: DeliveryReader,
  round: number,
  set: readonly OpenedDelivery[],
): ClusterMean {
  const { updates, sizes } = gatherUpdates(scenario, reader, round, set)
  const weightOf = (i: number): number => (scenario.rule.kind === 'weightedMean' ? (sizes[i] ?? 0) : 1)
  return sealMean(weightedMeanOf(updates.map((update, i) => ({ update, weight: weightOf(i) }))))
}

const idOf = (bytes: Uint8Array): string => toHex(sha256(purpose, bytes)).slice(2)

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
