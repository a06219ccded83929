import { PotluckError } from '@potluck/protocol'
import type { NativeAddon, TeamHandle } from './addon.ts'
import { loadAddon } from './loadAddon.ts'

/**
 * Starts the threads of a native executor and picks its level.
 *
 * @param options.threads the caller's among them; 1 unless given
 * @param options.level   a level of `nativeLevels()`; the best of this processor unless given
 * @throws PotluckError NO_NATIVE, BAD_OPTION
 */
export function createTeam({ threads = 1, level }: { readonly threads?: number; readonly level?: string }): {
  addon: NativeAddon
  handle: TeamHandle
  level: string
  threads: number
} {
  const addon = loadAddon()
  const chosen = level ?? addon.levels[0]!
  if (!addon.levels.includes(chosen)) {
    throw new PotluckError('BAD_OPTION', `no level ${chosen} on this processor; there are ${addon.levels.join(', ')}`)
  }
  if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
    throw new PotluckError('BAD_OPTION', `threads must be a whole number from 1 to 256, got ${threads}`)
  }
  const handle = addon.createTeam(threads)
  return { addon, handle, level: chosen, threads: addon.teamSize(handle) }
}
