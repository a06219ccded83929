import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { readKey } from '@potluck/node'
import { PotluckError, toHex } from '@potluck/protocol'

/** Makes a new key file, readable by its owner only. Throws KEY_EXISTS rather than overwrite one. */
export function newKey(file: string): Uint8Array {
  if (existsSync(file)) {
    throw new PotluckError(
      'KEY_EXISTS',
      `${file} exists: a key is never overwritten; choose another name or move it away`,
      { file },
    )
  }
  mkdirSync(dirname(file), { recursive: true })
  const secret = new Uint8Array(randomBytes(32))
  writeFileSync(file, `${toHex(secret)}\n`, { mode: 0o600, flag: 'wx' })
  return secret
}

/** The key in the file, made now if there is none. */
export const keyAt = (file: string): Uint8Array => (existsSync(file) ? readKey(file) : newKey(file))
