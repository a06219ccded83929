/**
 * Event files as TensorBoard reads them: records of protocol buffers, here only the fields that scalars need.
 *
 *   record   length u64 LE · masked CRC-32C of it · data · masked CRC-32C of it
 *   Event    1 wall_time double · 2 step int64 · 3 file_version string | 5 summary Summary
 *   Summary  1 value, repeated: 1 tag string · 2 simple_value float
 *
 * Source: tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto.
 */
import { maskedCrc32c } from './crc32c.ts'

export type ScalarEvent = {
  /** Seconds since 1970. */
  readonly wallTime: number
  readonly step: number
  readonly scalars: Readonly<Record<string, number>>
}

/** Names written this way open a file of events: version 2 of the format. */
const FILE_VERSION = 'brain.Event:2'
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** The record every event file begins with. */
export const firstRecord = (wallTime: number): Uint8Array =>
  recordOf(concat([double(1, wallTime), text(3, FILE_VERSION)]))

/** One record with all scalars of a step. */
export function scalarRecord({ wallTime, step, scalars }: ScalarEvent): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) => bytes(1, concat([text(1, tag), float(2, value)])))
  return recordOf(concat([double(1, wallTime), field(2, wire.varint), varint(step), bytes(5, concat(values))]))
}

/** Data with its length and the sums of both. */
export function recordOf(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true)
  return concat([length, u32(maskedCrc32c(length)), data, u32(maskedCrc32c(data))])
}

const field = (number: number, type: number): Uint8Array => varint(number * 8 + type)

/** Seven bits a byte, lowest first; the upper bit says that more follow. */
function varint(value: number): Uint8Array {
  const out: number[] = []
  let rest = BigInt(value)
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Uint8Array.from([...out, Number(rest)])
}

const bytes = (number: number, value: Uint8Array): Uint8Array =>
  concat([field(number, wire.bytes), varint(value.length), value])

const text = (number: number, value: string): Uint8Array => bytes(number, new TextEncoder().encode(value))

function double(number: number, value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setFloat64(0, value, true)
  return concat([field(number, wire.fixed64), out])
}

function float(number: number, value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setFloat32(0, value, true)
  return concat([field(number, wire.fixed32), out])
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value, true)
  return out
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
