import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { arch, platform } from 'node:os'

/** Where the C sources lie and where the built addon goes. */
export const sourceFolder = new URL('../../native/source/', import.meta.url)
export const buildFolder = new URL('../../build/', import.meta.url)
export const addonFile = new URL('potluck.node', buildFolder)
export const recordFile = new URL('potluck.json', buildFolder)

/** What the build leaves beside the addon: which sources it is made of, by what. */
export type BuildRecord = { readonly sources: string; readonly compiler: string; readonly flags: string }

/** SHA-256 over the C sources and the kind of machine, so that an addon of other sources is never loaded. Cost: 1 ms. */
export function sourcesHash(): string {
  const hash = createHash('sha256').update(`${platform()} ${arch()}\n`)
  for (const name of readdirSync(sourceFolder).sort())
    hash.update(`${name}\n`).update(readFileSync(new URL(name, sourceFolder)))
  return hash.digest('hex')
}

/** The record of the last build, or null when there is none. */
export function readBuildRecord(): BuildRecord | null {
  let text: string
  try {
    text = readFileSync(recordFile, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  const record: Partial<BuildRecord> = JSON.parse(text)
  const { sources = '', compiler = '', flags = '' } = record
  return { sources, compiler, flags }
}
