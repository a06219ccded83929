import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/potluck.mjs', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'potluck-bin-'))
after(() => rmSync(dir, { recursive: true }))
const potluck = (...args: string[]) =>
  spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', cwd: dir, timeout: 30_000 })

test('the command shows its help, makes and reads keys, and fails with a code', () => {
  const help = potluck('--help')
  assert.equal(help.status, 0)
  for (const name of ['up', 'node', 'status', 'doctor', 'keys', 'wallet', 'asset', 'job', 'call', 'why']) {
    assert.match(help.stdout, new RegExp(`^ {2}${name}\\b`, 'm'))
  }
  const made = potluck('keys', 'new', '--out', 'a.key', '--json')
  assert.equal(made.status, 0, made.stderr)
  const { address } = JSON.parse(made.stdout) as { address: string }
  assert.equal(potluck('keys', 'address', 'a.key').stdout.trim(), address)
  assert.ok(!made.stdout.includes(readFileSync(join(dir, 'a.key'), 'utf8').trim()))
  const again = potluck('keys', 'new', '--out', 'a.key', '--json')
  assert.equal(again.status, 1)
  assert.equal(again.stdout, '')
  assert.equal((JSON.parse(again.stderr) as { error: { code: string } }).error.code, 'KEY_EXISTS')
  const wrong = potluck('job', 'show', 'first', '--json')
  assert.equal(wrong.status, 1)
  assert.equal((JSON.parse(wrong.stderr) as { error: { code: string } }).error.code, 'BAD_USAGE')
})
