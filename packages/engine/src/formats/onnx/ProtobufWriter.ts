const utf8 = new TextEncoder()

/** Wire types of protocol buffers. */
const [VARINT, BYTES, FIXED32] = [0, 2, 5]

/** The parts of ONNX that are written need three wire types only; a message is the bytes of its fields in the order put. */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  #push(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    this.#length += bytes.length
    return this
  }

  #tag(field: number, wire: number): this {
    return this.#push(varint((field << 3) | wire))
  }

  /** An int64 or enum; negative numbers take ten bytes, as the format has it. */
  integer(field: number, value: number | bigint): this {
    return this.#tag(field, VARINT).#push(varint(value))
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    return this.#tag(field, FIXED32).#push(bytes)
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#tag(field, BYTES).#push(varint(value.length)).#push(value)
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value))
  }

  /** A message within this one; its bytes are not copied until `finish`. */
  message(field: number, write: (inner: ProtobufWriter) => void): this {
    const inner = new ProtobufWriter()
    write(inner)
    this.#tag(field, BYTES).#push(varint(inner.length))
    for (const part of inner.#parts) this.#push(part)
    return this
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#parts) {
      out.set(part, at)
      at += part.length
    }
    return out
  }
}

function varint(value: number | bigint): Uint8Array {
  let left = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  do {
    const low = Number(left & 127n)
    left >>= 7n
    bytes.push(left === 0n ? low : low | 128)
  } while (left !== 0n)
  return Uint8Array.from(bytes)
}
