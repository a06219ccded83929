import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { bundle } from './bundle.ts'

const run = promisify(execFile)
const golden: unknown = JSON.parse(
  await readFile(join(import.meta.dirname, '..', '..', 'spec', 'vectors', 'engine.json'), 'utf8'),
)

/** The first Node on the path, outside node_modules, or in the usual places whose major version is 20 or 22. */
async function olderNode(): Promise<string | null> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']
  for (const folder of new Set(folders)) {
    if (folder === '' || folder.includes('node_modules')) continue
    const node = join(folder, 'node')
    const found = await run(node, ['--version']).catch(() => null)
    if (found && /^v2[02]\./.test(found.stdout)) return node
  }
  return null
}

const node = await olderNode()
const folder = await mkdtemp(join(tmpdir(), 'potluck-node-'))
after(() => rm(folder, { recursive: true }))
await bundle(['vectorsInNode.ts', 'threadInNode.ts'], folder, 'node')
await writeFile(join(folder, 'package.json'), '{"type":"module"}')

for (const threads of [1, 2]) {
  test(`an older Node reproduces every committed vector with ${threads} thread(s) [E-02]`, {
    skip: node === null && 'no Node 20 or 22 on this machine',
  }, async () => {
    const { stdout } = await run(node ?? '', [join(folder, 'vectorsInNode.js'), String(threads)], {
      maxBuffer: 64e6,
    })
    assert.deepEqual(JSON.parse(stdout), golden)
  })
}
