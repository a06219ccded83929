import { readFileSync } from 'node:fs'
import { fromHex, PotluckError } from '@potluck/protocol'

/** The 32 bytes of a key file: 0x and 64 hex digits. Throws KEY_MISSING or BAD_KEY; neither repeats what the file holds. */
export function readSecret(keyFile: string): Uint8Array {
  let text: string
  try {
    text = readFileSync(keyFile, 'utf8').trim()
  } catch (cause) {
    const message = `no key file at ${keyFile}: name the right one, or restore it from your backup`
    throw new PotluckError('KEY_MISSING', message, { keyFile }, { cause, remedy: 'fix-setup' })
  }
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return fromHex(text)
  const message = `${keyFile} is not a key: expected 0x and 64 hex digits, got ${text.length} characters`
  throw new PotluckError('BAD_KEY', message, { keyFile }, { remedy: 'fix-setup' })
}
