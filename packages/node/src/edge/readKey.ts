import { readFileSync } from 'node:fs'
import { fromHex, PotluckError } from '@potluck/protocol'

/** The 32 secret bytes in a key file. Throws KEY_MISSING or BAD_KEY; neither says what the file holds. */
export function readKey(file: string): Uint8Array {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new PotluckError(
      'KEY_MISSING',
      `no key file at ${file}: make one with \`potluck keys new --out ${file}\`, or restore it from your backup`,
      { file },
      { cause, remedy: 'fix-setup' },
    )
  }
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return fromHex(text)
  throw new PotluckError(
    'BAD_KEY',
    `${file} is not a key: expected 0x and 64 hex digits, got ${text.length} characters`,
    { file },
    { remedy: 'fix-setup' },
  )
}
