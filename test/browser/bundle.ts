import { join } from 'node:path'
import { build } from 'esbuild'

/** Bundles the entries of this folder, one `.js` file each, as modules that any JavaScript engine of 2022 runs. */
export async function bundle(entries: readonly string[], folder: string, platform: 'browser' | 'node'): Promise<void> {
  await build({
    entryPoints: entries.map((entry) => join(import.meta.dirname, entry)),
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform,
    target: 'es2022',
    logLevel: 'error',
  })
}
