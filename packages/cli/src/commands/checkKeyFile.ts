import { statSync } from 'node:fs'
import { readKey } from '@potluck/node'
import { addressOfSecret, codeOf, type Hex, PotluckError } from '@potluck/protocol'

/**
 * The account of a key file that only its owner can read.
 *
 * @throws PotluckError KEY_MISSING, BAD_KEY, and KEY_EXPOSED with the mode seen when others may read it
 */
export function checkKeyFile(file: string): Hex {
  const account = addressOfSecret(readKey(file))
  // Windows keeps no such bits.
  if (process.platform === 'win32') return account
  const mode = statSync(file).mode & 0o777
  if ((mode & 0o077) === 0) return account
  const seen = mode.toString(8)
  throw new PotluckError(
    'KEY_EXPOSED',
    `${file} can be read by others (mode ${seen}): type \`chmod 600 ${file}\`, and if others use this machine, replace the key`,
    { file, mode: seen },
    { remedy: 'fix-setup' },
  )
}

/** The same check as a finding. */
export function keyTrouble(file: string, wanted?: Hex): { message: string; code: string } | undefined {
  try {
    const account = checkKeyFile(file)
    if (wanted === undefined || account === wanted) return undefined
    return {
      code: 'KEY_DIFFERS',
      message: `${file} is the key of ${account}, the plan says ${wanted}: put the right one back`,
    }
  } catch (error) {
    return { code: codeOf(error) ?? 'INTERNAL', message: (error as Error).message }
  }
}
