import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '../../packages/cli/src/demo/Report.ts'

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))
const LONGEST_MS = 15 * 60_000

/** Runs `potluck up --demo --once` in a folder of its own, as `npm start` does, and returns what it measured and printed. */
export async function runLoop(...flags: string[]): Promise<{ report: Report; output: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-loop-'))
  const file = join(dir, 'report.json')
  const args = [main, 'up', '--demo', '--once', '--dir', join(dir, 'network'), '--report', file, ...flags]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const timer = setTimeout(() => child.kill('SIGTERM'), LONGEST_MS)
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(timer)
  try {
    if (code !== 0) throw new Error(`the loop ended with code ${code}:\n${output.split('\n').slice(-60).join('\n')}`)
    return { report: JSON.parse(readFileSync(file, 'utf8')) as Report, output }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export function checkBooks({ ledger }: Report): void {
  const [paidIn, withdrawn, owed, dust] = [ledger.paidIn, ledger.withdrawn, ledger.owed, ledger.dust].map(BigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  if (paidIn <= 0n || paidIn !== withdrawn + owed + dust) {
    throw new Error(`paid in ${paidIn} is not withdrawn ${withdrawn} + owed ${owed} + dust ${dust}`)
  }
}
