import { type FileFormat, refusal } from './refusal.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a hostile file from front to back: a length is believed only as far as the bytes reach. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly format: FileFormat
  /** Bytes read so far. */
  at = 0
  readonly #view: DataView

  constructor(bytes: Uint8Array, format: FileFormat) {
    this.bytes = bytes
    this.format = format
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  /** The next `count` bytes as a view; throws FORMAT_TRUNCATED when fewer are left. */
  take(count: number, what: string): Uint8Array {
    if (count > this.left) {
      const message = `${what} needs ${count} bytes at ${this.at}, but the file has ${this.left} left`
      throw refusal(this.format, 'FORMAT_TRUNCATED', message, { at: this.at })
    }
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  u8(what: string): number {
    return this.take(1, what)[0]!
  }

  #number(width: number, what: string, get: (view: DataView, at: number) => number): number {
    this.take(width, what)
    return get(this.#view, this.at - width)
  }

  i8 = (what: string): number => this.#number(1, what, (view, at) => view.getInt8(at))
  u16 = (what: string): number => this.#number(2, what, (view, at) => view.getUint16(at, true))
  i16 = (what: string): number => this.#number(2, what, (view, at) => view.getInt16(at, true))
  u32 = (what: string): number => this.#number(4, what, (view, at) => view.getUint32(at, true))
  i32 = (what: string): number => this.#number(4, what, (view, at) => view.getInt32(at, true))
  f32 = (what: string): number => this.#number(4, what, (view, at) => view.getFloat32(at, true))
  f64 = (what: string): number => this.#number(8, what, (view, at) => view.getFloat64(at, true))

  u64(what: string): bigint {
    this.take(8, what)
    return this.#view.getBigUint64(this.at - 8, true)
  }

  i64(what: string): bigint {
    this.take(8, what)
    return this.#view.getBigInt64(this.at - 8, true)
  }

  /** A 64-bit count of things of at least `unit` bytes each; FORMAT_TRUNCATED when the rest of the file cannot hold them. */
  count(what: string, unit: number): number {
    const claimed = this.u64(what)
    if (claimed * BigInt(unit) > BigInt(this.left)) {
      const message = `${what} is ${claimed}, but the file has only ${this.left} bytes left`
      throw refusal(this.format, 'FORMAT_TRUNCATED', message, { at: this.at - 8, claimed })
    }
    return Number(claimed)
  }

  /** `count` bytes of UTF-8; throws FORMAT_HEADER for other bytes. */
  text(count: number, what: string): string {
    const start = this.at
    try {
      return utf8.decode(this.take(count, what))
    } catch (cause) {
      if (cause instanceof TypeError) {
        throw refusal(this.format, 'FORMAT_HEADER', `${what} at ${start} is not UTF-8 text`, { at: start })
      }
      throw cause
    }
  }
}
