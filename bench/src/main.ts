/** `npm run bench -- NAME [--json FILE] [--check]`: runs one benchmark, prints its rows, writes or checks its result. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareRows } from './compareRows.ts'
import type { Benchmark, BenchmarkResult, Row } from './Row.ts'

const DEFAULT_TOLERANCE = 0.1
const tools = new Set(['main', 'Row', 'compareRows'])
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => !tools.has(name))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, check: { type: 'boolean', default: false } },
})
const [name] = positionals
if (name === undefined || positionals.length > 1 || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--json FILE] [--check]\nbenchmarks: ${names.join(', ')}`)
  process.exit(2)
}

const short = (value: number | null): string =>
  value === null ? '' : Number.isInteger(value) ? String(value) : value.toPrecision(5)

function print(rows: readonly Row[]): void {
  const lines = [
    ['what', 'value', 'unit', 'rival', 'its value', 'ratio'],
    ...rows.map(({ what, value, unit, rival, rivalValue, ratio }) => [
      what,
      short(value),
      unit,
      rival ?? '',
      short(rivalValue),
      ratio === null ? '' : ratio.toFixed(2),
    ]),
  ]
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)))
  for (const cells of lines)
    console.log(
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

const { run, tolerance = DEFAULT_TOLERANCE } = (await import(`./${name}.ts`)) as Benchmark
const rows = await run()
const result: BenchmarkResult = {
  name,
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  },
  rows,
}
print(rows)

if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
}
if (values.check) {
  const committed = join(import.meta.dirname, '..', 'results', `${name}.json`)
  if (!existsSync(committed)) {
    console.error(
      `nothing to compare with: run "npm run bench -- ${name} --json bench/results/${name}.json" and commit it`,
    )
    process.exit(1)
  }
  const { rows: baseline } = JSON.parse(readFileSync(committed, 'utf8')) as BenchmarkResult
  const findings = compareRows(rows, baseline, tolerance)
  for (const finding of findings) console.error(finding)
  console.log(
    findings.length === 0 ? `within ${tolerance * 100} % of the committed result` : `${findings.length} findings`,
  )
  if (findings.length > 0) process.exitCode = 1
}
