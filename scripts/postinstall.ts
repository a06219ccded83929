/**
 * Brings in the platform package that npm leaves out when it runs under a Node older than 22, and builds the native executor where
 * there is a compiler.
 *
 * Hardhat's EVM comes as one optional package per platform, each asking for Node 22 or newer. The project carries Node 24 for
 * its scripts, but npm itself may run under an older one and then skips optional packages silently. A second, quick pass
 * of the same npm under the project's Node installs what is missing, from the same lock file.
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { buildNative, describeBuild } from '../packages/runtime/native/build.ts'

const requireEdr = createRequire(createRequire(import.meta.url).resolve('hardhat/package.json'))

function loadsEdr(): boolean {
  try {
    requireEdr('@nomicfoundation/edr')
    return true
  } catch (error) {
    console.error(`postinstall: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
    return false
  }
}

const npm = process.env.npm_execpath
if (npm && !process.env.POTLUCK_SECOND_PASS && !loadsEdr()) {
  console.error(`postinstall: installing what the older npm runtime skipped, under Node ${process.version}`)
  const pass = spawnSync(
    process.execPath,
    [npm, 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      stdio: 'inherit',
      env: { ...process.env, POTLUCK_SECOND_PASS: '1' },
    },
  )
  if (pass.status !== 0) {
    console.error('postinstall: the contract tests need Hardhat; on Node 22 or newer `npm ci` installs it in one pass')
  }
}

console.error(describeBuild(await buildNative()))
