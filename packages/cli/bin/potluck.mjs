#!/usr/bin/env node
// Runs the command with the project's own Node, so that whoever has an older one needs nothing but npm.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED_MAJOR = 24
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function newerNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'))
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  } catch {
    process.stderr.write(
      `NODE_TOO_OLD: this is Node ${process.versions.node}, ${NEEDED_MAJOR} is needed and the project's own is not installed: run npm ci in the project's folder\n`,
    )
    process.exit(1)
  }
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // What follows reads its arguments as if it had been started itself.
  process.argv[1] = main
  await import('../src/main.ts')
} else {
  const child = spawn(newerNode(), [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C reaches the child from the terminal too; hearing it twice does no harm.
    process.on(signal, () => child.kill(signal))
  }
  child.once('error', (error) => {
    process.stderr.write(`NODE_NOT_STARTED: ${error.message}: run npm ci in the project's folder again\n`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1
    else {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }
  })
}
