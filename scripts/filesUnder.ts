import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const leftOut = new Set(['node_modules', 'generated', '.git', '.potluck', 'coverage'])
/** What Hardhat writes beside the contracts. */
const isBuilt = (path: string): boolean => /\/contracts\/(artifacts|cache|types)$/.test(path)

/** All files below a folder, sorted; installed, generated and built ones left out. None when the folder is not there. */
export function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !leftOut.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return isBuilt(path) ? [] : filesUnder(path)
      return entry.isFile() ? [path] : []
    })
    .sort()
}
