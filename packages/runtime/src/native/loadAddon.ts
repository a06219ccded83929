import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PotluckError } from '@potluck/protocol'
import type { NativeAddon } from './addon.ts'
import { addonFile, readBuildRecord, sourcesHash } from './nativeFiles.ts'

let loaded: NativeAddon | undefined

/** The addon; loaded once. Throws NO_NATIVE when it is not built, or built from other sources, and says what to do. */
export function loadAddon(): NativeAddon {
  if (loaded) return loaded
  const record = readBuildRecord()
  if (!record || !existsSync(addonFile)) throw noNative('it is not built')
  if (record.sources !== sourcesHash()) throw noNative('it was built from other sources')
  try {
    const addon: NativeAddon = createRequire(import.meta.url)(fileURLToPath(addonFile))
    loaded = addon
    return addon
  } catch (error) {
    throw noNative(`it does not load: ${error instanceof Error ? error.message : error}`, error)
  }
}

function noNative(why: string, cause?: unknown): PotluckError {
  return new PotluckError(
    'NO_NATIVE',
    `no native executor: ${why}. Install a C compiler and run \`node packages/runtime/native/build.ts\`, or use WebAssembly`,
    { why },
    { cause, remedy: 'fix-setup' },
  )
}
