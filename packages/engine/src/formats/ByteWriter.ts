const utf8 = new TextEncoder()

/** Collects little-endian bytes; grows by doubling. */
export class ByteWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  /** Bytes written so far. */
  length = 0

  #reserve(count: number): number {
    const start = this.length
    this.length += count
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return start
  }

  put(bytes: ArrayLike<number>): this {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  text(value: string): this {
    return this.put(utf8.encode(value))
  }

  u8(value: number): this {
    const at = this.#reserve(1)
    this.#bytes[at] = value
    return this
  }

  u16(value: number): this {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, true)
    return this
  }

  u32(value: number): this {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
    return this
  }

  f32(value: number): this {
    const at = this.#reserve(4)
    this.#view.setFloat32(at, value, true)
    return this
  }

  f64(value: number): this {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, true)
    return this
  }

  u64(value: number | bigint): this {
    const at = this.#reserve(8)
    this.#view.setBigUint64(at, BigInt(value), true)
    return this
  }

  /** Zeros (or `filler`) up to the next multiple of `alignment`. */
  pad(alignment: number, filler = 0): this {
    const count = (alignment - (this.length % alignment)) % alignment
    return this.put(new Uint8Array(count).fill(filler))
  }

  /** A view of what was written; valid until the next write. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }
}
