/**
 * Holds specification, code and tests together: every rule defined in spec/*.md is cited as `[ID]` by the title of a test, is
 * defined once, and every id cited in code, tests or documents is defined. Prints what is missing; exit code 1 when anything is.
 */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { filesUnder } from './filesUnder.ts'
import { findRules } from './findRules.ts'

const root = join(import.meta.dirname, '..')
const files = ['spec', 'packages', 'contracts', 'bench', 'test', 'docs']
  .flatMap((folder) => filesUnder(join(root, folder)))
  .filter((path) => /\.(ts|sol|md)$/.test(path))
  .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }))

const { defined, twice, untested, unknown } = findRules(files)
for (const { id, paths } of twice) console.log(`${id} is defined ${paths.length} times: ${paths.join(', ')}`)
for (const { id, path } of untested) console.log(`${id} (${path}) has no test whose title cites [${id}]`)
for (const { id, paths } of unknown) console.log(`${id} is defined nowhere in spec/, but cited in ${paths.join(', ')}`)
const missing = twice.length + untested.length + unknown.length
console.log(`${defined} rules, ${defined - untested.length} with a test, ${missing} findings`)
if (missing > 0 || defined === 0) process.exitCode = 1
