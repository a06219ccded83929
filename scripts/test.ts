/**
 * `npm test`: every check of the project, one after another, all failures listed at the end.
 *
 * `npm test -- unit sim` runs the stages named; `npm test -- unit protocol` narrows the unit stage to one package. The last line
 * reads `N passed, N failed` and counts tests over all stages, a check without tests of its own (lint, types) as one.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { countTests } from './countTests.ts'
import { filesUnder } from './filesUnder.ts'

const root = join(import.meta.dirname, '..')
const contracts = join(root, 'contracts')

type Command = { args: string[]; cwd?: string }
type Stage = {
  name: string
  title: string
  /** Far above what the stage needs on two cores; a stage that hangs is ended, and the run goes on. */
  limitSeconds: number
  /** Left out when this stage failed: its outcome would say nothing new. */
  needs?: string
  command(packages: string[]): Command | { nothing: string }
}
type Outcome = { stage: Stage; seconds: number; passed: number; failed: number; why: string | null; failures: string[] }

const bin = (path: string): string => join(root, 'node_modules', path)

function nodeTests(files: string[], where: string, concurrency: number): Command | { nothing: string } {
  if (files.length === 0) return { nothing: `no test file in ${where}` }
  return { args: ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, ...files] }
}

const testsUnder = (folder: string): string[] =>
  filesUnder(join(root, folder))
    .map((file) => relative(root, file))
    .filter((file) => file.endsWith('.test.ts'))

const inPackage = (file: string, name: string): boolean => file.startsWith(join('packages', name, '/'))

const stages: Stage[] = [
  {
    name: 'lint',
    title: 'formatting and lint (biome)',
    limitSeconds: 60,
    command: () => ({ args: [bin('@biomejs/biome/bin/biome'), 'check', '.'] }),
  },
  {
    name: 'types',
    title: 'types (tsc)',
    limitSeconds: 120,
    command: () => ({ args: [bin('typescript/bin/tsc'), '--noEmit', '-p', '.'] }),
  },
  {
    name: 'rules',
    title: 'every rule in spec/ has a test, every cited rule exists',
    limitSeconds: 30,
    command: () => ({ args: ['scripts/checkRules.ts'] }),
  },
  {
    name: 'architecture',
    title: 'import arrows and file layout',
    limitSeconds: 30,
    command: () => nodeTests(testsUnder('test/architecture'), 'test/architecture', 1),
  },
  {
    name: 'contracts',
    title: 'contracts (hardhat)',
    limitSeconds: 600,
    command: () => ({ args: [bin('hardhat/dist/src/cli.js'), 'test'], cwd: contracts }),
  },
  {
    name: 'generated',
    title: 'committed ABIs are those of the contracts',
    limitSeconds: 30,
    needs: 'contracts',
    command: () => ({ args: ['contracts/scripts/generate.ts', '--check'] }),
  },
  {
    name: 'unit',
    title: 'packages, unit by unit',
    limitSeconds: 900,
    command(packages) {
      const files = [...testsUnder('packages'), ...testsUnder('bench')].filter((file) => !inPackage(file, 'sim'))
      const wanted =
        packages.length > 0 ? files.filter((file) => packages.some((name) => inPackage(file, name))) : files
      return nodeTests(wanted, 'packages', 2)
    },
  },
  {
    name: 'executors',
    title: 'the same bits natively, in a browser tab and under an older Node',
    limitSeconds: 300,
    command: () => nodeTests([...testsUnder('test/executors'), ...testsUnder('test/browser')], 'test', 1),
  },
  {
    name: 'rivals',
    title: 'exported models in onnxruntime and llama.cpp, where they are installed',
    limitSeconds: 300,
    command: () => nodeTests(testsUnder('test/rivals'), 'test/rivals', 1),
  },
  {
    name: 'sim',
    title: 'the network in one process',
    limitSeconds: 1_300,
    command: () => nodeTests(testsUnder('packages/sim'), 'packages/sim', 2),
  },
  {
    name: 'e2e',
    title: 'the loop between processes, killed and restarted',
    limitSeconds: 1_800,
    needs: 'types',
    command: () => nodeTests(testsUnder('test/e2e'), 'test/e2e', 1),
  },
]

let stopChild: (() => void) | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopChild?.()
    process.exit(130)
  })
}

/** Runs a command with its output shown as it comes. */
function run({ args, cwd }: Command, limitSeconds: number): Promise<{ code: number; output: string; isLate: boolean }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: cwd ?? root,
      env: { ...process.env, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true', NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what the stage started ends with it.
      detached: true,
    })
    let output = ''
    let isLate = false
    const stop = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    stopChild = stop
    const timer = setTimeout(() => {
      isLate = true
      stop()
    }, limitSeconds * 1000)
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      process.stdout.write(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      process.stderr.write(chunk)
    })
    child.on('error', (error) => {
      output += String(error)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      stopChild = undefined
      resolve({ code: code ?? 1, output, isLate })
    })
  })
}

async function runStage(stage: Stage, packages: string[]): Promise<Outcome> {
  const command = stage.command(packages)
  if ('nothing' in command) return { stage, seconds: 0, passed: 0, failed: 1, why: command.nothing, failures: [] }
  const startedMs = performance.now()
  const { code, output, isLate } = await run(command, stage.limitSeconds)
  const seconds = (performance.now() - startedMs) / 1000
  const { passed, failed, failures } = countTests(output)
  const isRunner = passed + failed > 0
  const why = isLate ? `ended after ${stage.limitSeconds} s` : code === 0 ? null : `exit code ${code}`
  if (why === null) return { stage, seconds, passed: isRunner ? passed : 1, failed, why, failures }
  return { stage, seconds, passed, failed: Math.max(1, failed), why, failures }
}

const names = stages.map(({ name }) => name)
const wanted = process.argv.slice(2)
const packages = wanted.filter((word) => !names.includes(word) && existsSync(join(root, 'packages', word)))
const unknown = wanted.filter((word) => !names.includes(word) && !packages.includes(word))
if (unknown.length > 0) {
  console.error(`no stage or package named ${unknown.join(', ')}; stages: ${names.join(', ')}`)
  process.exit(2)
}
const isSelected = ({ name }: Stage): boolean =>
  wanted.length === 0 || wanted.includes(name) || (name === 'unit' && packages.length > 0)
const selected = stages.filter(isSelected)

const outcomes: Outcome[] = []
for (const [i, stage] of selected.entries()) {
  const stopped = outcomes.find(({ stage: { name }, why }) => name === stage.needs && why !== null)
  console.log(`\n━━ ${i + 1}/${selected.length} ${stage.name}: ${stage.title}`)
  const outcome = stopped
    ? { stage, seconds: 0, passed: 0, failed: 1, why: `not run: ${stopped.stage.name} failed`, failures: [] }
    : await runStage(stage, packages)
  outcomes.push(outcome)
  if (outcome.why !== null) console.log(`━━ ${stage.name} failed: ${outcome.why}`)
}

const sum = (pick: (outcome: Outcome) => number): number => outcomes.reduce((total, each) => total + pick(each), 0)
const cells = (...[name, seconds, passed, failed, why]: string[]): string =>
  `${name?.padEnd(14)}${seconds?.padStart(9)}${passed?.padStart(9)}${failed?.padStart(9)}  ${why}`.trimEnd()

console.log(`\n${cells('stage', 'seconds', 'passed', 'failed', '')}`)
for (const { stage, seconds, passed, failed, why } of outcomes) {
  console.log(cells(stage.name, seconds.toFixed(1), String(passed), String(failed), why ?? ''))
}
console.log(cells('all', sum(({ seconds }) => seconds).toFixed(1), '', '', ''))
for (const { stage, failures } of outcomes) for (const failure of failures) console.log(`✖ ${stage.name}: ${failure}`)
const [passed, failed] = [sum((each) => each.passed), sum((each) => each.failed)]
if (failed > 0 || passed === 0) process.exitCode = 1
console.log(`\n${passed} passed, ${failed} failed`)
