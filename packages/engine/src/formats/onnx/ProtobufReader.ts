import { ByteReader } from '../ByteReader.ts'
import { type FormatCode, refusal } from '../refusal.ts'

/** One field of a message. Each reading throws FORMAT_HEADER when the field is of another wire type. */
export type Field = {
  readonly number: number
  integer(what: string): number
  /** One integer, or a packed list of them, one after the other. */
  integers(what: string): Generator<number, void>
  bytes(what: string): Uint8Array
  text(what: string): string
  /** One f32 or a packed list, as the bytes they have in the file. */
  floatBytes(what: string): Uint8Array
}

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5]

const refuse = (code: FormatCode, message: string): Error => refusal('ONNX', code, message)

/** Reads protocol buffers out of a hostile file; a length counts only as far as the bytes reach. */
export class ProtobufReader {
  readonly #reader: ByteReader

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes, 'ONNX')
  }

  /** The fields of one message in file order. */
  *fields(): Generator<Field, void> {
    const reader = this.#reader
    while (reader.left > 0) {
      const tag = varint(reader, 'a field')
      const [number, wire] = [Number(tag >> 3n), Number(tag & 7n)]
      if (number < 1 || number > 0x1fffffff) throw refuse('FORMAT_HEADER', `there is no field ${number}`)
      if (wire === VARINT) yield fieldOf(number, wire, varint(reader, `field ${number}`), new Uint8Array(0))
      else if (wire === FIXED64) yield fieldOf(number, wire, 0n, reader.take(8, `field ${number}`))
      else if (wire === FIXED32) yield fieldOf(number, wire, 0n, reader.take(4, `field ${number}`))
      else if (wire === BYTES) {
        const length = varint(reader, `the length of field ${number}`)
        if (length > BigInt(reader.left)) {
          const message = `field ${number} claims ${length} bytes, ${reader.left} are left`
          throw refuse('FORMAT_TRUNCATED', message)
        }
        yield fieldOf(number, wire, 0n, reader.take(Number(length), `field ${number}`))
      } else throw refuse('FORMAT_HEADER', `field ${number} has the unknown wire type ${wire}`)
    }
  }
}

function fieldOf(number: number, wire: number, value: bigint, bytes: Uint8Array): Field {
  const expect = (what: string, ...wires: readonly number[]): void => {
    if (!wires.includes(wire)) throw refuse('FORMAT_HEADER', `${what} has wire type ${wire}, expected ${wires[0]}`)
  }
  return {
    number,
    integer(what) {
      expect(what, VARINT)
      return signed(value)
    },
    *integers(what) {
      expect(what, VARINT, BYTES)
      if (wire === VARINT) yield signed(value)
      const reader = new ByteReader(bytes, 'ONNX')
      while (reader.left > 0) yield signed(varint(reader, what))
    },
    bytes(what) {
      expect(what, BYTES)
      return bytes
    },
    text(what) {
      expect(what, BYTES)
      return new ByteReader(bytes, 'ONNX').text(bytes.length, what)
    },
    floatBytes(what) {
      expect(what, BYTES, FIXED32)
      return bytes
    },
  }
}

/** As int64; what no extent or version can be is left to the caller's checks, rounded. */
const signed = (value: bigint): number => Number(BigInt.asIntN(64, value))

function varint(reader: ByteReader, what: string): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.u8(what)
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return BigInt.asUintN(64, value)
  }
  throw refuse('FORMAT_HEADER', `${what} is a number of more than ten bytes`)
}
