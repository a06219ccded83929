import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { TrainReport } from '../training/finishRun.ts'
import { printed } from './printed.ts'
import { type TrainCommandOptions, train } from './train.ts'
import { trainCommand } from './trainCommand.ts'

export type Outcome = { code: 0 | 1; stdout: string; stderr: string }

/** The command in this process: its options as the command line reads them, and what it would print. */
export async function runTrain(...args: string[]): Promise<Outcome> {
  const command = trainCommand().exitOverride()
  command.parseOptions(args)
  const options = command.opts<TrainCommandOptions>()
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const live = { isTty: false, write: (text: string) => void (options.json || stderr.push(text)) }
  const code = await printed(options, () => train(options, live), {
    stdout: (text) => void stdout.push(text),
    stderr: (text) => void stderr.push(text),
  })
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

export async function report(...args: string[]): Promise<TrainReport> {
  const { code, stdout, stderr } = await runTrain('--json', ...args)
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  return JSON.parse(stdout) as TrainReport
}

/** One error as a program reads it: exit code 1, nothing on standard output, no stack. */
export async function refusal(...args: string[]): Promise<{ code: string; message: string }> {
  const { code, stdout, stderr } = await runTrain('--json', ...args)
  assert.equal(code, 1, stdout)
  assert.equal(stdout, '')
  assert.ok(!stderr.includes('    at '), stderr)
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error
}

/** A folder of its own for one test file, as its current one, gone when the tests are over. Returns its path and what writes files into it. */
export function inTestFolder(prefix: string): {
  dir: string
  write: (name: string, content: string | Uint8Array) => string
} {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  const before = process.cwd()
  process.chdir(dir)
  after(() => {
    process.chdir(before)
    rmSync(dir, { recursive: true })
  })
  return {
    dir,
    write: (name, content) => {
      writeFileSync(join(dir, name), content)
      return name
    },
  }
}
