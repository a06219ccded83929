/**
 * Installs the runtimes that the engine is measured against, in this folder alone: `node bench/rivals/install.ts`. Some 400 MB, from the package registry;
 * no other download and no install script runs. `node bench/rivals/install.ts --remove` takes them away again.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'

const folder = import.meta.dirname

if (process.argv.includes('--remove')) {
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
} else {
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    // Both packages would otherwise look for larger binaries elsewhere.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true' },
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error) console.error(`npm could not be started: ${error.message}`)
  process.exitCode = status ?? 1
}
