import { PotluckError } from '@potluck/protocol'
import { ByteWriter } from '../ByteWriter.ts'
import { type FileTensor, shapeBytes } from '../FileTensor.ts'
import { refusal, shown } from '../refusal.ts'

/** By UTF-16 code units: the same order on every machine, whatever the locale. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * The canonical bytes of a set of named tensors: equal sets give equal files (D-01 for tensors).
 *
 *   u64 length of the header · header · data
 *
 * The header is compact JSON: `__metadata__` first where there is any, then the tensors by name; inside, keys by name. Spaces pad it to a multiple
 * of 8. Data follows in the same order without gaps. Source: the safetensors format, version 0.4.
 *
 * @throws PotluckError FORMAT_DUPLICATE, FORMAT_SIZE, FORMAT_SHAPE; BAD_NAME for a tensor called `__metadata__`
 */
export function writeSafetensors(
  tensors: readonly FileTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort((a, b) => byName(a.name, b.name))
  const entries: string[] = []
  const labels = Object.keys(metadata).sort(byName)
  if (labels.length > 0) {
    const pairs = labels.map((label) => `${JSON.stringify(label)}:${JSON.stringify(metadata[label])}`)
    entries.push(`"__metadata__":{${pairs.join(',')}}`)
  }
  let at = 0
  for (const [i, { name, type, shape, bytes }] of sorted.entries()) {
    if (name === '__metadata__') throw new PotluckError('BAD_NAME', 'no tensor may be called __metadata__')
    if (name === sorted[i - 1]?.name) {
      throw refusal('safetensors', 'FORMAT_DUPLICATE', `two tensors are called ${shown(name)}`)
    }
    const expected = shapeBytes('safetensors', name, shape, type)
    if (bytes.length !== expected) {
      const message = `tensor ${shown(name)} has ${bytes.length} bytes, its shape [${shape.join(', ')}] takes ${expected}`
      throw refusal('safetensors', 'FORMAT_SIZE', message)
    }
    const end = at + expected
    entries.push(
      `${JSON.stringify(name)}:{"data_offsets":[${at},${end}],"dtype":"${type}","shape":[${shape.join(',')}]}`,
    )
    at = end
  }
  const header = new ByteWriter()
    .text(`{${entries.join(',')}}`)
    .pad(8, 0x20)
    .finish()
  const file = new Uint8Array(8 + header.length + at)
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true)
  file.set(header, 8)
  at = 8 + header.length
  for (const { bytes } of sorted) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}
