import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildNative, describeBuild } from '../../native/build.ts'

test('a machine without a C compiler, or with one that fails, is told so and goes on', async () => {
  const none = await buildNative(['no-such-compiler', 'nor-this-one'])
  assert.deepEqual(none, { built: false, reason: 'no C compiler found (no-such-compiler, nor-this-one)' })
  assert.match(describeBuild(none), /^native executor: not built, .*; programs run as WebAssembly$/)
  const folder = mkdtempSync(join(tmpdir(), 'potluck-compiler-'))
  const broken = join(folder, 'cc')
  writeFileSync(
    broken,
    '#!/bin/sh\n[ "$1" = --version ] && echo broken 1.0 || { echo "cc: error: out of order" >&2; exit 1; }\n',
  )
  chmodSync(broken, 0o755)
  const failed = await buildNative([broken])
  rmSync(folder, { recursive: true, force: true })
  assert.deepEqual(failed, { built: false, reason: 'cc: error: out of order' })
})

/** A copy of the sources of this package without what was built, to load from. */
function unbuiltCopy(): string {
  const from = fileURLToPath(new URL('../../', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'potluck-runtime-'))
  for (const part of ['native', 'src']) cpSync(join(from, part), join(folder, part), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  symlinkSync(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), join(folder, 'node_modules'))
  return folder
}

test('without a built addon native is refused with what to do, and the local engine is WebAssembly', async () => {
  const folder = unbuiltCopy()
  try {
    const load = (path: string): Promise<typeof import('../index.ts')> => import(pathToFileURL(join(folder, path)).href)
    const runtime = await load('src/index.ts')
    assert.equal(runtime.isNativeAvailable(), false)
    assert.throws(() => runtime.createNativeEngine(), { code: 'NO_NATIVE', message: /native\/build\.ts/ })
    await assert.rejects(runtime.createLocalEngine({ executor: 'native' }), { code: 'NO_NATIVE' })
    const engine = await runtime.createLocalEngine()
    assert.equal(engine.executor, 'wasm')
    await engine.close()
    mkdirSync(join(folder, 'build'))
    writeFileSync(join(folder, 'build', 'potluck.node'), '')
    writeFileSync(join(folder, 'build', 'potluck.json'), '{ "sources": "of another day" }')
    assert.throws(() => runtime.createNativeEngine(), { code: 'NO_NATIVE', message: /other sources/ })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
