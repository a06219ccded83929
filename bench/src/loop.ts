/**
 * The whole loop as a newcomer runs it: `npm start -- --once --report FILE` in a fresh folder, its report turned into rows.
 *
 * Where there is a bar, it stands as the rival: the time, memory, accuracy and loss that the first version set out to reach.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PotluckError } from '@potluck/protocol'
import type { Row } from './Row.ts'

/** Seconds depend on what else the machine does. */
export const tolerance = 0.35

type Report = {
  stages: { name: string; seconds: number }[]
  heart: { federated: Accuracy; central: Accuracy; rounds: number }
  language: { firstLoss: number; lastLoss: number; tokens: number; modelParams: number }
  calls: { count: number; paid: string | number }
  ledger: { paidIn: string | number; withdrawn: string | number; owed: string | number; dust: string | number }
  peakPssMb: number
}
type Accuracy = { mean: number; pooled: number }

const root = join(import.meta.dirname, '..', '..')

/** Runs the loop, shows what it shows, and returns its report. Throws LOOP_FAILED with the end of its output. */
function runLoop(folder: string): Promise<Report> {
  const reportFile = join(folder, 'report.json')
  const args = [
    'packages/cli/src/main.ts',
    'up',
    '--demo',
    '--once',
    '--dir',
    join(folder, 'state'),
    '--report',
    reportFile,
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4_000)
      process.stdout.write(chunk)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(readFileSync(reportFile, 'utf8')) as Report)
      else reject(new PotluckError('LOOP_FAILED', `npm start -- --once ended with ${code}; its last words:\n${output}`))
    })
  })
}

const plain = (what: string, value: number, unit: string): Row => ({
  what,
  value,
  unit,
  rival: null,
  rivalValue: null,
  ratio: null,
})
const atMost = (what: string, value: number, unit: string, rival: string, bar: number): Row => ({
  what,
  value,
  unit,
  rival,
  rivalValue: bar,
  ratio: bar / value,
})
const atLeast = (what: string, value: number, unit: string, rival: string, bar: number): Row => ({
  ...atMost(what, value, unit, rival, bar),
  ratio: value / bar,
})

function rowsOf(report: Report, totalSeconds: number): Row[] {
  const { stages, heart, language, calls, ledger, peakPssMb } = report
  const unaccounted = BigInt(ledger.paidIn) - BigInt(ledger.withdrawn) - BigInt(ledger.owed) - BigInt(ledger.dust)
  return [
    ...stages.map(({ name, seconds }) => plain(`stage.${name}`, seconds, 's')),
    atMost('total', totalSeconds, 's', 'bar: at most 3 minutes on two cores', 180),
    atMost('peakPssMb', peakPssMb, 'MB', 'bar: at most 3 GB over all processes', 3_000),
    atLeast('heart.mean', heart.federated.mean, 'accuracy', 'bar: at least 0.78', 0.78),
    atLeast('heart.pooled', heart.federated.pooled, 'accuracy', 'bar: at least 0.775', 0.775),
    plain('heart.rounds', heart.rounds, 'masked sums'),
    plain('language.firstLoss', language.firstLoss, 'nats a character'),
    atMost('language.lastLoss', language.lastLoss, 'nats a character', 'bigram table of the training text', 2.48),
    plain('language.tokens', language.tokens, 'characters trained on'),
    plain('language.modelParams', language.modelParams, 'parameters'),
    plain('calls.count', calls.count, 'paid calls'),
    plain('ledger.unaccounted', Number(unaccounted), 'token units'),
  ]
}

export async function run(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-loop-'))
  try {
    const fromMs = performance.now()
    const report = await runLoop(folder)
    return rowsOf(report, Math.round((performance.now() - fromMs) / 100) / 10)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
