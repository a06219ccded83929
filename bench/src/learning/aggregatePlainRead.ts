import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PotluckError } from '@potluck/protocol'

export type PlainRead = (buffers: readonly Float32Array[], threads: number) => number

/**
 * The plain read of `aggregatePlainRead.c`, compiled on the spot for this processor.
 *
 * @throws PotluckError NO_COMPILER
 */
export function buildPlainRead(): PlainRead {
  const require = createRequire(import.meta.url)
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include')
  const folder = mkdtempSync(join(tmpdir(), 'potluck-read-'))
  const addon = join(folder, 'read.node')
  const source = join(import.meta.dirname, 'aggregatePlainRead.c')
  const flags = ['-O3', '-march=native', '-shared', '-fPIC', `-I${headers}`, source, '-o', addon, '-lpthread']
  const { status, stderr } = spawnSync('cc', flags, { encoding: 'utf8' })
  if (status !== 0) {
    throw new PotluckError('NO_COMPILER', `cc could not build the plain read (${stderr}): install a C compiler`)
  }
  const built: { plainRead: PlainRead } = require(addon)
  rmSync(folder, { recursive: true })
  return built.plainRead
}
