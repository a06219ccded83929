import { type Compression, decodeUpdate } from '@potluck/learning'
import { fastRecover } from '@potluck/node/fastRecover'
import { concatBytes, fromHex, type Hex, sha256, signDigest, toHex, utf8 } from '@potluck/protocol'

/** One piece of work as its worker signs it. */
export type Delivery = {
  readonly round: number
  /** Root of the model that it was computed from. */
  readonly base: string
  readonly share: number
  readonly piece: number
  readonly steps: number
  readonly fetchMs: number
  readonly trainMs: number
  readonly payload: Uint8Array
}

export type OpenedDelivery = Delivery & { readonly id: string; readonly from: Hex }
export type Opened =
  | { readonly ok: true; readonly delivery: OpenedDelivery }
  | { readonly ok: false; readonly why: string }

const HEADER_BYTES = 32 + 6 * 4
const SIGNATURE_BYTES = 65
const purpose = utf8('potluck simulated delivery')

/** The bytes on the wire: header, update, signature over both. */
export function sealDelivery(delivery: Delivery, secret: Uint8Array): Uint8Array {
  const { round, base, share, piece, steps, fetchMs, trainMs, payload } = delivery
  const body = new Uint8Array(HEADER_BYTES + payload.length)
  body.set(Buffer.from(base, 'hex'), 0)
  const view = new DataView(body.buffer)
  ;[round, share, piece, steps, fetchMs, trainMs].forEach((value, i) => {
    view.setUint32(32 + 4 * i, value)
  })
  body.set(payload, HEADER_BYTES)
  return concatBytes(body, signDigest(sha256(purpose, body), secret))
}

/** Reads and checks deliveries: form, signature, update. Each distinct one is checked once, however many nodes receive it. */
export class DeliveryReader {
  /** Signatures verified so far. */
  verified = 0
  #known = new WeakMap<Uint8Array, Opened>()
  #updates = new WeakMap<Uint8Array, Float32Array>()
  #length: number
  #compression: Compression

  /** @param length numbers of the model */
  constructor(length: number, compression: Compression) {
    this.#length = length
    this.#compression = compression
  }

  open(bytes: Uint8Array): Opened {
    const known = this.#known.get(bytes) ?? this.#read(bytes)
    this.#known.set(bytes, known)
    return known
  }

  /** The update; read only, since all that ask get the same. */
  decode({ payload }: Delivery): Float32Array {
    const update = this.#updates.get(payload) ?? decodeUpdate(payload, this.#length, this.#compression)
    this.#updates.set(payload, update)
    return update
  }

  /** Forgets the update: it is decoded again when asked for. */
  release({ payload }: Delivery): void {
    this.#updates.delete(payload)
  }

  /** Takes over what another thread read from the same bytes. */
  remember(bytes: Uint8Array, from: Hex, update: Float32Array): void {
    const delivery = { ...parse(bytes), from }
    this.verified++
    this.#updates.set(delivery.payload, update)
    this.#known.set(bytes, { ok: true, delivery })
  }

  #read(bytes: Uint8Array): Opened {
    if (bytes.length < HEADER_BYTES + SIGNATURE_BYTES)
      return { ok: false, why: `too short: ${bytes.length} bytes, at least ${HEADER_BYTES + SIGNATURE_BYTES}` }
    const parsed = parse(bytes)
    this.verified++
    try {
      const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES)
      const from = fastRecover(fromHex(`0x${parsed.id}`), signature)
      const delivery = { ...parsed, from }
      this.decode(delivery)
      return { ok: true, delivery }
    } catch (error) {
      return { ok: false, why: (error as Error).message }
    }
  }
}

/** Everything but who signed. */
function parse(bytes: Uint8Array): Omit<OpenedDelivery, 'from'> {
  const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const word = (index: number): number => view.getUint32(32 + 4 * index)
  return {
    ...{ id: toHex(sha256(purpose, body)).slice(2), base: toHex(bytes.subarray(0, 32)).slice(2) },
    ...{ round: word(0), share: word(1), piece: word(2), steps: word(3), fetchMs: word(4), trainMs: word(5) },
    payload: body.subarray(HEADER_BYTES),
  }
}
