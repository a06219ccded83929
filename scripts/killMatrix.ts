/**
 * Runs a reduced loop once for every (process, stage) pair, killing that process in the middle of that stage, and writes what came of it to
 * bench/results/kill-matrix.json. Takes one to two minutes a pair; pairs named on the command line are run alone.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkBooks, runLoop } from '../test/e2e/runLoop.ts'

const processes = [
  'archive',
  'builder',
  'cleveland',
  'va',
  'worker-1',
  'worker-5',
  'validator-1',
  'validator-3',
  'provider',
  'gateway',
  'ledger',
  'postgres',
]
const stages = ['datasets', 'heart', 'language', 'calls', 'settle']
const asked = process.argv.slice(2)
const pairs = asked.length > 0 ? asked : stages.flatMap((stage) => processes.map((name) => `${name}@${stage}`))

const file = fileURLToPath(new URL('../bench/results/kill-matrix.json', import.meta.url))
type Outcome = { pair: string; closed: boolean; seconds: number; why?: string }
let outcomes: Outcome[] = []
try {
  outcomes = (JSON.parse(readFileSync(file, 'utf8')) as { outcomes: Outcome[] }).outcomes
} catch {
  console.log('starting a new matrix')
}

for (const pair of pairs) {
  const from = performance.now()
  const seconds = (): number => Math.round((performance.now() - from) / 1000)
  let outcome: Outcome
  try {
    const { report } = await runLoop('--rounds', '2', '--kill', pair)
    checkBooks(report)
    outcome = { pair, closed: true, seconds: seconds() }
  } catch (error) {
    outcome = {
      pair,
      closed: false,
      seconds: seconds(),
      why: (error as Error).message.split('\n').slice(-12).join(' | ').slice(-800),
    }
  }
  outcomes = [...outcomes.filter((each) => each.pair !== pair), outcome].sort((a, b) => (a.pair < b.pair ? -1 : 1))
  writeFileSync(file, `${JSON.stringify({ command: 'node scripts/killMatrix.ts', outcomes }, null, 2)}\n`)
  console.log(
    `${outcome.closed ? 'closed' : 'FAILED'}  ${pair}  ${outcome.seconds} s${outcome.why ? `  ${outcome.why}` : ''}`,
  )
}
process.exitCode = outcomes.every(({ closed }) => closed) ? 0 : 1
