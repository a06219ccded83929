/**
 * The engine's vectors on processors that this machine is not: x86 without fused multiply-add, and 64-bit ARM, both emulated by
 * qemu-user. `node scripts/emulated.ts [FOLDER]`; FOLDER holds a Node for ARM (`bin/node`) and the libraries it needs (`lib`), else
 * only x86 is tried. Some minutes each.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { bundle } from '../test/browser/bundle.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const [arm] = process.argv.slice(2)

type Machine = { readonly name: string; readonly command: string; readonly args: readonly string[] }

const machines: readonly Machine[] = [
  // A Nehalem has SSE4.2 and neither AVX nor FMA.
  { name: 'x86-64 without FMA (Nehalem)', command: 'qemu-x86_64-static', args: ['-cpu', 'Nehalem', process.execPath] },
  ...(arm && existsSync(join(arm, 'bin', 'node'))
    ? [{ name: 'arm64', command: 'qemu-aarch64-static', args: ['-L', arm, join(arm, 'bin', 'node')] }]
    : []),
]

const golden: unknown = JSON.parse(await readFile(join(root, 'spec', 'vectors', 'engine.json'), 'utf8'))
const folder = await mkdtemp(join(tmpdir(), 'potluck-emulated-'))
await bundle(['vectorsInNode.ts', 'threadInNode.ts'], folder, 'node')
await writeFile(join(folder, 'package.json'), '{"type":"module"}')
for (const { name, command, args } of machines) {
  const startedMs = performance.now()
  const { stdout } = await run(command, [...args, join(folder, 'vectorsInNode.js'), '1'], { maxBuffer: 64e6 })
  const isSame = isDeepStrictEqual(JSON.parse(stdout), golden)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  console.log(`${name}, emulated: ${isSame ? 'every vector as it must be' : 'VECTORS DIFFER'} (${seconds} s)`)
  if (!isSame) process.exitCode = 1
}
await rm(folder, { recursive: true })
