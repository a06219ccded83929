/**
 * Kills every kind of process in every stage of the loop, and writes what came of it to bench/results/kill-matrix.json.
 *
 * One run of a reduced loop kills one process in each stage, another one each time, so that as many runs as there are processes meet every
 * (process, stage) pair. When a run does not close, its pairs are run again one by one. Twelve runs take a quarter of an hour on two cores;
 * runs whose result stands in the file already are left out, `--again` runs them all.
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
const file = fileURLToPath(new URL('../bench/results/kill-matrix.json', import.meta.url))

type Outcome = { pair: string; closed: boolean; with: string[]; seconds: number; why?: string }

function readOutcomes(): Outcome[] {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { outcomes: Outcome[] }).outcomes
  } catch (error) {
    console.log(`starting a new matrix (${(error as Error).message})`)
    return []
  }
}

let outcomes = process.argv.includes('--again') ? [] : readOutcomes()

async function run(pairs: string[]): Promise<boolean> {
  const from = performance.now()
  let why: string | undefined
  try {
    const { report, output } = await runLoop('--rounds', '2', '--kill', pairs.join(','))
    checkBooks(report)
    const missed = pairs.filter((pair) => !output.includes(`drill: ${pair.split('@')[0]} (pid `))
    if (missed.length > 0) why = `not killed: ${missed.join(', ')}`
  } catch (error) {
    why = (error as Error).message.split('\n').slice(-12).join(' | ').slice(-800)
  }
  const seconds = Math.round((performance.now() - from) / 1000)
  for (const pair of pairs) {
    const outcome = { pair, closed: why === undefined, with: pairs.filter((other) => other !== pair), seconds }
    outcomes = [...outcomes.filter((other) => other.pair !== pair), why === undefined ? outcome : { ...outcome, why }]
  }
  outcomes.sort((a, b) => (a.pair < b.pair ? -1 : 1))
  const summary = { closed: outcomes.filter(({ closed }) => closed).length, of: processes.length * stages.length }
  writeFileSync(file, `${JSON.stringify({ command: 'node scripts/killMatrix.ts', ...summary, outcomes }, null, 2)}\n`)
  console.log(`${why === undefined ? 'closed' : 'FAILED'}  ${seconds} s  ${pairs.join(' ')}${why ? `  ${why}` : ''}`)
  return why === undefined
}

for (const [first] of processes.entries()) {
  const pairs = stages.map((stage, i) => `${processes[(first + i) % processes.length]}@${stage}`)
  const isDone = pairs.every((pair) => outcomes.some((outcome) => outcome.pair === pair && outcome.closed))
  if (isDone || (await run(pairs))) continue
  for (const pair of pairs) await run([pair])
}
process.exitCode = outcomes.every(({ closed }) => closed) ? 0 : 1
