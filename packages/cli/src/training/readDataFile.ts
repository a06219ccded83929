import { readFileSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { PotluckError } from '@potluck/protocol'

/** The most a data file may hold once unpacked: everything is kept in memory. */
export const MAX_DATA_BYTES = 2 ** 31 - 1

/**
 * The bytes of a data file, unpacked when it is gzip (by its first two bytes, whatever its name).
 *
 * @throws PotluckError FILE_MISSING, EMPTY_FILE, FILE_TOO_LARGE (before it is read, and before more than
 *   `mostBytes` are unpacked), BAD_GZIP
 */
export function readDataFile(file: string, mostBytes = MAX_DATA_BYTES): Uint8Array {
  const bytes = readBytes(file, mostBytes)
  if (bytes.length === 0) {
    throw new PotluckError('EMPTY_FILE', `${file} is empty: name a file with data in it`, { file })
  }
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? unpack(file, bytes, mostBytes) : bytes
}

function readBytes(file: string, mostBytes: number): Uint8Array {
  let sizeBytes: number
  try {
    sizeBytes = statSync(file).size
    if (sizeBytes <= mostBytes) return new Uint8Array(readFileSync(file))
  } catch (cause) {
    const message = `cannot read ${file}: ${(cause as Error).message}; name the right file`
    throw new PotluckError('FILE_MISSING', message, { file }, { cause })
  }
  throw tooLarge(file, `${sizeBytes} bytes`, mostBytes)
}

const tooLarge = (file: string, seen: string, mostBytes: number): PotluckError =>
  new PotluckError('FILE_TOO_LARGE', `${file} holds ${seen}, ${mostBytes} at most are read: train on a part of it`, {
    file,
    mostBytes,
  })

function unpack(file: string, bytes: Uint8Array, mostBytes: number): Uint8Array {
  let unpacked: Uint8Array
  try {
    unpacked = new Uint8Array(gunzipSync(bytes, { maxOutputLength: mostBytes }))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(file, `more than ${mostBytes} bytes when unpacked`, mostBytes)
    }
    const message = `${file} begins like gzip but cannot be unpacked (${(cause as Error).message}): it may be cut off; fetch it again`
    throw new PotluckError('BAD_GZIP', message, { file }, { cause })
  }
  if (unpacked.length > 0) return unpacked
  throw new PotluckError('EMPTY_FILE', `${file} holds nothing when unpacked: name a file with data in it`, { file })
}

/** Text of a data file. Throws what `readDataFile` throws, and BAD_TEXT when it is no UTF-8. */
export function readTextFile(file: string): string {
  const bytes = readDataFile(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const message = `${file} is no UTF-8 text: convert it, for example with \`iconv -t utf-8\``
    throw new PotluckError('BAD_TEXT', message, { file }, { cause })
  }
}
