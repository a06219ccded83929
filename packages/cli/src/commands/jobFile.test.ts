import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { poisoningResistance } from '@potluck/learning'
import { codeOf, type JobDocument } from '@potluck/protocol'
import { resistanceOf, termsOf } from './jobCreate.ts'
import { jobResistanceText } from './jobDocumentOf.ts'
import { jobFileFields, parseJobFile, readJobFile } from './jobFile.ts'
import { testDeployment } from './testDeployment.ts'

const language = `
kind: language
name: Small Shakespeare
payPerRound: 5
valid: valid.txt
data:
  - { version: 7, sharePpm: 100000 }
`
const tabular = `
kind: tabular
name: Four hospitals
payPerRound: 8.5
data:
  - { version: 4, sharePpm: 200000 }
  - { version: 2, sharePpm: 150000 }
  - { version: 3, sharePpm: 200000 }
`

const refuses = (text: string, ...parts: string[]): void =>
  assert.throws(
    () => parseJobFile(text, 'job.yaml'),
    (thrown: Error) => {
      assert.equal(codeOf(thrown), 'BAD_JOB_FILE')
      for (const part of ['job.yaml', ...parts])
        assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
      return true
    },
  )

test('a wrong field is refused with file, field and value seen', () => {
  refuses(language.replace('kind: language', 'kind: vision'), 'kind')
  refuses(language.replace('payPerRound: 5', 'payPerRound: five'), 'payPerRound', '"five"')
  refuses(language.replace('payPerRound: 5', 'payPerRound: -5'), 'payPerRound', '-5')
  refuses(language.replace('name: Small Shakespeare', ''), 'name')
  refuses(`${language}rouns: 7\n`, 'rouns')
  refuses(`${language}rounds: 7.5\n`, 'rounds', '7.5')
  refuses(`${language}training: { batch: 0 }\n`, 'training.batch', 'got 0')
  refuses(language.replace('sharePpm: 100000', 'sharePpm: 1000001'), 'data.0.sharePpm', '1000001')
  refuses(`${language}purposes: [TRAIN, SELL]\n`, 'purposes.1', '"SELL"')
  refuses(`${language}members: { committeeSize: 5, quorum: 7 }\n`, 'members.quorum', 'got 7')
  refuses(`${language}members: { committeeSize: 7, quorum: 3 }\n`, 'members.quorum', 'more than half', 'got 3')
  refuses(`${language}members: { minWitnesses: 4 }\n`, 'members.quorum', 'members.minWitnesses (4)')
  refuses(`${language}training: { encoding: dense3 }\n`, 'training.encoding', '"dense3"')
})

test('text that is no YAML, or no object, is refused', () => {
  refuses('kind: [', 'no YAML')
  refuses('', 'the file')
  refuses('just words', 'the file')
  refuses('- a\n- b', 'the file')
})

test('aliases that would blow the file up are refused', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`
  refuses(bomb)
})

test('a private job of two, a language job of two texts and a version named twice are refused', () => {
  refuses(tabular.replace('  - { version: 3, sharePpm: 200000 }\n', ''), 'data', '3 members', 'got 2')
  refuses(`${language.trimEnd()}\n  - { version: 8, sharePpm: 1 }\n`, 'data', 'one text', 'got 2')
  refuses(tabular.replace('version: 3', 'version: 4'), 'named twice', '4, 2, 4')
})

test('a private job says how few members will do within what its tables and its noise allow [P-63]', () => {
  const five = `${tabular.trimEnd()}\n  - { version: 5, sharePpm: 1 }\n  - { version: 6, sharePpm: 1 }\n`
  const read = (text: string): unknown => parseJobFile(text, 'job.yaml')
  for (const least of [3, 4, 5]) assert.doesNotThrow(() => read(`${five}leastMembers: ${least}\n`))
  assert.doesNotThrow(() => read(`${tabular}leastMembers: 3\n`))
  refuses(`${five}leastMembers: 2\n`, 'leastMembers', 'got 2')
  refuses(`${five}leastMembers: 6\n`, 'leastMembers', '3 to 5', 'got 6')
  refuses(`${tabular}leastMembers: 4\n`, 'leastMembers', '3 to 3', 'got 4')
  refuses(`${five}leastMembers: 3\nnoise: { multiplier: 4, dishonest: 3 }\n`, 'leastMembers', '4 to 5', 'got 3')
})

test('a file that is not there is refused with its name', () => {
  assert.throws(
    () => readJobFile('no-such-job.yaml'),
    (thrown: Error) => codeOf(thrown) === 'FILE_MISSING' && thrown.message.includes('no-such-job.yaml'),
  )
})

test('the terms on chain carry units, sorted versions with their own shares, and the private class', () => {
  const terms = termsOf(parseJobFile(tabular, 'job.yaml'), testDeployment)
  assert.equal(terms.payPerRound, 8_500_000n)
  assert.deepEqual(terms.dataVersions, [2n, 3n, 4n])
  assert.deepEqual(terms.parentShares, [150_000, 200_000, 200_000])
  assert.equal(terms.minWorkers, 3)
  assert.equal(terms.trustClass, 2)
  assert.equal(terms.purpose, 29)
  assert.equal(terms.workerBond, 60n * 10n ** 18n)
  const exact = termsOf(parseJobFile(language, 'job.yaml'), testDeployment)
  assert.equal(exact.trustClass, 0)
  assert.equal(exact.rounds, 7)
  assert.equal(exact.minWorkers, 5)
})

test('an update takes four bits a parameter unless the file says otherwise [P-52]', () => {
  const encodingOf = (text: string) => {
    const job = parseJobFile(text, 'job.yaml')
    return job.kind === 'language' ? job.training.encoding : undefined
  }
  assert.equal(encodingOf(language), 'dense4')
  assert.equal(encodingOf(`${language}training: { encoding: f32 }\n`), 'f32')
})

test('contributions are measured unless the file says not to [P-58]', () => {
  const windowsOf = (text: string) => {
    const job = parseJobFile(text, 'job.yaml')
    return job.kind === 'language' ? job.scoreWindows : undefined
  }
  assert.equal(windowsOf(language), 64)
  assert.equal(windowsOf(`${language}scoreWindows: 0\n`), 0)
  refuses(`${language}scoreWindows: 1025\n`, 'scoreWindows', '1025')
})

test('JSON is as good as YAML', () => {
  const job = { kind: 'language', name: 'x', payPerRound: '1.5', valid: 'v', data: [{ version: 1, sharePpm: 0 }] }
  assert.equal(parseJobFile(JSON.stringify(job), 'job.json').payPerRound, '1.5')
})

test('the README documents every field of the job file', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  for (const field of jobFileFields()) assert.ok(readme.includes(`\`${field}\``), `${field} is not in the README`)
})

const measured = (more: object = {}): string => {
  const grid = {
    rule: '{"kind":"reference"}',
    compression: '{"kind":"dense","bits":4}',
    attackers: 0.4,
    seeds: [1],
    clean: { attack: 'none', accuracies: [0.5] },
    cells: [
      { attack: 'noise', accuracies: [0.45] },
      { attack: 'alie:1.5', accuracies: [0.3] },
    ],
    ...more,
  }
  const beside = {
    setting: null,
    clients: 5,
    liars: 2,
    rounds: 7,
    unattacked: grid.clean,
    zeroed: { none: 0 },
    warning: null,
  }
  return JSON.stringify({ ...poisoningResistance(grid), ...beside })
}

test('a record of resistance named by a job file goes with its document, in millionths [L-39]', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-job-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'job.yaml')
  const job = parseJobFile(`${language}result: { resistance: resistance.json }\n`, file)
  assert.ok(job.kind === 'language')
  const record = (text: string): void => writeFileSync(join(dir, 'resistance.json'), text)
  const refused = (code: string, words: RegExp): void =>
    assert.throws(
      () => resistanceOf(job, file),
      (thrown: Error) => codeOf(thrown) === code && words.test(thrown.message),
    )
  refused('FILE_MISSING', /resistance\.json.*potluck attack/)
  record(measured())
  assert.deepEqual(resistanceOf(job, file), {
    scorePpm: 600_000,
    worst: 'alie:1.5',
    attackersPpm: 400_000,
    cleanPpm: 500_000,
    worstAccuracyPpm: 300_000,
  })
  assert.equal(resistanceOf(parseJobFile(language, file) as typeof job, file), undefined)
  record(measured({ rule: '{"kind":"median"}' }))
  refused('BAD_JOB_FILE', /measured with rule \{"kind":"median"\}.*potluck attack/)
  record(measured().replace('"score":0.6', '"score":0.9'))
  refused('BAD_RESISTANCE', /score 0\.9.*its cells give 0\.6/)
  record(measured().replace('[0.45]', '[1.45]'))
  refused('BAD_RESISTANCE', /cells\.0\.accuracies\.0/)
  record('{')
  refused('BAD_RESISTANCE', /no JSON/)
})

test('a private job names no record of resistance, and who has none says so', () => {
  refuses(`${tabular}result: { resistance: r.json }\n`, 'result.resistance', 'single update', '"r.json"')
  const document = { kind: 'tabular' } as JobDocument
  assert.match(jobResistanceText(document), /not measured: under masks/)
  assert.equal(jobResistanceText({ kind: 'language' } as JobDocument), 'not measured')
  assert.match(jobResistanceText(null), /not known/)
})
