import { concatBytes, equalBytes, fromHex, type Hex, PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { type Compression, checkLength } from './Compression.ts'
import { decodeUpdate } from './decodeUpdate.ts'

/** What a worker says about the bytes of its update. */
export type UpdateHeader = {
  readonly job: number
  readonly round: number
  /** SHA-256 of the model that the round started from. */
  readonly base: Uint8Array
  /** Address of the worker that signs. */
  readonly client: Hex
  /** Values of the update. */
  readonly length: number
  /** `feedbackHash` of what the update leaves behind. */
  readonly feedback: Uint8Array
}

/** What a receiver takes in this round. */
export type ExpectedUpdate = Pick<UpdateHeader, 'job' | 'round' | 'base' | 'length'> & {
  readonly compression: Compression
}

export type ReceivedUpdate = {
  readonly header: UpdateHeader
  readonly update: Float32Array
  /** What was signed; two messages of one worker and round with different ones prove that it said two things. */
  readonly digest: Uint8Array
}

const VERSION = 1
/** Version, job, round, base, client, length, feedback, bytes of the update. */
const HEAD = 1 + 4 + 4 + 32 + 20 + 4 + 32 + 4
const SIGNATURE = 65
/** What a message adds to the bytes of an update. */
export const UPDATE_FRAME_BYTES = HEAD + SIGNATURE

const digestOf = (signed: Uint8Array): Uint8Array => sha256(utf8('potluck update'), signed)

/**
 * The message that carries an update (L-27), numbers big-endian:
 *
 *   1  job (4)  round (4)  base (32)  client (20)  length (4)  feedback (32)  n (4)  update (n)  signature (65)
 *
 * The signature covers all before it.
 *
 * @param sign 65 bytes over a digest, as `signDigest` gives
 * @throws PotluckError BAD_FIELD
 */
export function writeUpdateMessage(
  header: UpdateHeader,
  update: Uint8Array,
  sign: (digest: Uint8Array) => Uint8Array,
): Uint8Array {
  checkLength(header.length)
  const client = fromHex(header.client)
  const sizes = { base: [header.base.length, 32], client: [client.length, 20], feedback: [header.feedback.length, 32] }
  for (const [field, [size, wanted]] of Object.entries(sizes)) {
    if (size !== wanted)
      throw new PotluckError('BAD_FIELD', `${field} has ${size} bytes, expected ${wanted}`, { field })
  }
  const { job, round } = header
  for (const [field, value] of Object.entries({ job, round })) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new PotluckError('BAD_FIELD', `${field} must be from 0 to 2^32 - 1, got ${value}`, { field })
    }
  }
  const signed = new Uint8Array(HEAD + update.length)
  const view = new DataView(signed.buffer)
  signed[0] = VERSION
  view.setUint32(1, job)
  view.setUint32(5, round)
  signed.set(header.base, 9)
  signed.set(client, 41)
  view.setUint32(61, header.length)
  signed.set(header.feedback, 65)
  view.setUint32(97, update.length)
  signed.set(update, HEAD)
  return concatBytes(signed, sign(digestOf(signed)))
}

/**
 * What a message says of itself, unchecked but for its size: enough to choose what to expect of it.
 *
 * @throws PotluckError TRUNCATED_UPDATE, TRAILING_BYTES, WRONG_VERSION
 */
export function readUpdateHeader(message: Uint8Array): UpdateHeader {
  const { length } = message
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  if (length < UPDATE_FRAME_BYTES) throw wrongSize('TRUNCATED_UPDATE', length, UPDATE_FRAME_BYTES)
  if (message[0] !== VERSION) {
    throw new PotluckError('WRONG_VERSION', `version ${message[0]} of update messages, this is ${VERSION}`)
  }
  const expected = UPDATE_FRAME_BYTES + view.getUint32(97)
  if (length !== expected) throw wrongSize(length < expected ? 'TRUNCATED_UPDATE' : 'TRAILING_BYTES', length, expected)
  return {
    job: view.getUint32(1),
    round: view.getUint32(5),
    base: message.slice(9, 41),
    client: toHex(message.subarray(41, 61)),
    length: view.getUint32(61),
    feedback: message.slice(65, 97),
  }
}

/**
 * The update in a message, which is the expected one or none. Checks in order of cost: size, header, signature, update.
 *
 * @param recover who signed a digest, as `recoverSigner` gives
 * @throws PotluckError WRONG_JOB, WRONG_ROUND, BASE_MISMATCH, WRONG_LENGTH, WRONG_SIGNER; what `readUpdateHeader`, `recover` and
 * `decodeUpdate` throw
 */
export function openUpdateMessage(
  message: Uint8Array,
  expected: ExpectedUpdate,
  recover: (digest: Uint8Array, signature: Uint8Array) => Hex,
): ReceivedUpdate {
  const header = readUpdateHeader(message)
  const differ = (code: string, what: string, seen: number, wanted: number): PotluckError =>
    new PotluckError(code, `the update is for ${what} ${seen}, expected ${wanted}`, { seen, wanted })
  if (header.job !== expected.job) throw differ('WRONG_JOB', 'job', header.job, expected.job)
  if (header.round !== expected.round) throw differ('WRONG_ROUND', 'round', header.round, expected.round)
  if (!equalBytes(header.base, expected.base)) {
    const [seen, wanted] = [toHex(header.base), toHex(expected.base)]
    throw new PotluckError(
      'BASE_MISMATCH',
      `the update starts from model ${seen}, expected ${wanted}; fetch it and train anew`,
      {
        seen,
        wanted,
      },
    )
  }
  if (header.length !== expected.length) throw differ('WRONG_LENGTH', 'a model of', header.length, expected.length)
  const end = message.length - SIGNATURE
  const digest = digestOf(message.subarray(0, end))
  const signer = recover(digest, message.subarray(end))
  if (signer !== header.client) {
    throw new PotluckError('WRONG_SIGNER', `signed by ${signer}, sent in the name of ${header.client}`, { signer })
  }
  return { header, update: decodeUpdate(message.subarray(HEAD, end), expected.length, expected.compression), digest }
}

const wrongSize = (code: string, length: number, expected: number): PotluckError =>
  new PotluckError(code, `the message has ${length} bytes, expected ${expected}`, { length, expected })
