import { PotluckError } from '@potluck/protocol'

/** Unsigned bytes with their extents, the content of an IDX file. */
export type IdxArray = { readonly extents: readonly number[]; readonly values: Uint8Array }

const types: Readonly<Record<number, string>> = {
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: 'floats',
  14: 'doubles',
}

/**
 * An IDX file of unsigned bytes: two zero bytes, type 8, the number of extents, the extents as 32-bit big-endian, the values. Nothing is
 * copied: `values` looks into `bytes`. The extents must claim exactly the bytes that follow.
 *
 * @throws PotluckError BAD_IDX with what was wrong, the value seen and expected
 */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const refuse = (why: string, facts: Record<string, number> = {}): PotluckError =>
    new PotluckError('BAD_IDX', `${file}: ${why}`, { file, ...facts })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0) {
    const seen = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    throw refuse(`no IDX file: it begins with ${seen}, expected 00 00 08; name files as MNIST has them`)
  }
  const type = bytes[2]!
  if (type !== 8) {
    throw refuse(`holds ${types[type] ?? `values of unknown type ${type}`}; only unsigned bytes (type 8) are read`, {
      type,
    })
  }
  const dimensions = bytes[3]!
  if (dimensions < 1 || dimensions > 4) throw refuse(`has ${dimensions} extents; 1 to 4 are read`, { dimensions })
  const start = 4 + 4 * dimensions
  if (bytes.length < start) throw refuse(`ends inside its header, after ${bytes.length} bytes; fetch it again`)
  const extents = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i))
  // Up to four factors below 2^32: beyond 2^53 the product is no longer exact, but far above any file's length.
  const claimed = extents.reduce((product, extent) => product * extent, 1)
  const held = bytes.length - start
  if (claimed !== held) {
    throw refuse(
      `its header claims ${extents.join(' × ')} = ${claimed} values, ${held} follow; the file is cut off or damaged, fetch it again`,
      { claimed, held },
    )
  }
  if (claimed === 0) throw refuse(`holds no values (${extents.join(' × ')}); name a file with data`)
  return { extents, values: bytes.subarray(start) }
}
