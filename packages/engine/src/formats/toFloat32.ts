import { PotluckError } from '@potluck/protocol'
import { elementBytes, type FileTensor } from './FileTensor.ts'

const word = new DataView(new ArrayBuffer(4))

function fromBits(bits: number): number {
  word.setUint32(0, bits)
  return word.getFloat32(0)
}

/** The value of an IEEE-754 binary16, exactly. */
export function halfToFloat(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 31
  const mantissa = half & 0x3ff
  // 2^-24 is the smallest subnormal; the product of a 10-bit number with it is exact.
  if (exponent === 0) return (sign === 0 ? 1 : -1) * mantissa * 5.9604644775390625e-8
  return fromBits((sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13)) >>> 0)
}

/** The value of a bfloat16, exactly: the upper half of an f32. */
export const bfloatToFloat = (bits: number): number => fromBits((bits << 16) >>> 0)

const readers: Record<FileTensor['type'], (view: DataView, at: number) => number> = {
  BOOL: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  U8: (view, at) => view.getUint8(at),
  I8: (view, at) => view.getInt8(at),
  U16: (view, at) => view.getUint16(at, true),
  I16: (view, at) => view.getInt16(at, true),
  F16: (view, at) => halfToFloat(view.getUint16(at, true)),
  BF16: (view, at) => bfloatToFloat(view.getUint16(at, true)),
  U32: (view, at) => view.getUint32(at, true),
  I32: (view, at) => view.getInt32(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  U64: (view, at) => Number(view.getBigUint64(at, true)),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  F64: (view, at) => view.getFloat64(at, true),
}

/**
 * A tensor's values in f32: exact for F32, F16, BF16 and whole numbers up to 2²⁴, rounded to the nearest otherwise.
 *
 * @throws PotluckError NAN with the tensor and the first index: the engine takes no NaN (E-05)
 */
export function toFloat32(tensor: FileTensor): Float32Array {
  const { name, type, bytes } = tensor
  const width = elementBytes[type]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = readers[type]
  const values = new Float32Array(bytes.byteLength / width)
  for (let i = 0; i < values.length; i++) {
    const value = read(view, i * width)
    if (Number.isNaN(value)) {
      throw new PotluckError('NAN', `tensor ${JSON.stringify(name)} holds NaN at element ${i}`, { name, at: i })
    }
    values[i] = value
  }
  return values
}
