import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { builtInScenarios, defaultScenario } from '@potluck/sim/scenario'
import { parseScenario, readScenario, scenarioFields } from './scenarioFile.ts'
import { simulate } from './simulate.ts'

const silent = { isTty: false, write: () => undefined }
const usual = { story: false, executor: 'wasm', threads: 0, json: false } as const

test('an empty scenario file gives the defaults, and every built-in one is read', () => {
  assert.deepEqual(parseScenario('{}', 'x.yaml'), defaultScenario)
  assert.ok(builtInScenarios().length >= 4)
  for (const name of builtInScenarios()) assert.equal(readScenario(name, { seed: 5 }).seed, 5)
  assert.equal(readScenario('thousand').workers, 1_000)
})

test('refuses what makes no sense, with the file, the field and the value', () => {
  const refuses = (text: string, said: RegExp): void =>
    assert.throws(
      () => parseScenario(text, 'x.yaml'),
      (error) =>
        codeOf(error) === 'BAD_SCENARIO' &&
        /^x\.yaml: /.test((error as Error).message) &&
        said.test((error as Error).message),
    )
  refuses('workers: 0', /workers: .*1/)
  refuses('wrokers: 7', /wrokers/)
  refuses('training: { steps: 10 }\npieces: 4', /training\.steps must be a multiple of pieces \(4\), got 10/)
  refuses(
    'regions: [{ name: a, part: 0.5, upMbit: 1, downMbit: 1 }]',
    /regions must be parts that add up to 1, got 0\.5/,
  )
  refuses(
    'partitions: [{ round: 1, region: mars, afterMs: 0, forMs: 1 }]',
    /partitions\.region must be a region, got mars/,
  )
  refuses('liars: [{ kind: attack, part: 0.1, attack: tickle }]', /tickle/)
  refuses('rule: dictator', /dictator/)
  refuses('churn: { late: 2 }', /churn\.joinPerRound must be at least 1/)
  refuses('speed: { least: 5, most: 1 }', /speed must be/)
  refuses('a: [', /no YAML or JSON/)
})

test('the README of the simulator lists every field of the scenario file', () => {
  const readme = readFileSync(new URL('../../../sim/README.md', import.meta.url), 'utf8')
  const missing = scenarioFields().filter((field) => !readme.includes(`\`${field}\``))
  assert.deepEqual(missing, [])
})

test('runs a scenario to a report, and replays it with its seed to the same mark', async () => {
  const small = { ...usual, scenario: 'calm', rounds: 1, workers: 4 }
  const first = await simulate({ ...small, seed: 3 }, silent)
  const again = await simulate({ ...small, seed: 3 }, silent)
  const other = await simulate({ ...small, seed: 4 }, silent)
  const markOf = ({ value }: typeof first): unknown => (value as { mark: string }).mark
  assert.equal(first.failed, false)
  assert.equal(markOf(first), markOf(again))
  assert.notEqual(markOf(first), markOf(other))
  assert.ok(
    first.lines.some((line) => /^goodput \d/.test(line)) && first.lines.some((line) => /^mark [0-9a-f]{8}-/.test(line)),
  )
})
