import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { codeOf, PotluckError } from '@potluck/protocol'
import { parseHeartCsv, parseTable } from './parseTable.ts'
import { splitByLines } from './tableRow.ts'
import { heartSchema, inputNames } from './tableSchema.ts'

const good = '63.0,1.0,1.0,145.0,233.0,1.0,2.0,150.0,0.0,2.3,3.0,0.0,6.0,0'
const read = (file: string): string => readFileSync(new URL(`../../../../data/heart/${file}`, import.meta.url), 'utf8')

function refusal(text: string): PotluckError {
  try {
    parseHeartCsv(text, { file: 'ward.csv' })
  } catch (error) {
    if (error instanceof PotluckError) return error
    throw error
  }
  throw new Error('accepted')
}

test('reads the four hospitals with the row counts of FLamby and finds every line of its split [L-02]', () => {
  const split = JSON.parse(read('split.json'))
  const expected = { cleveland: [303, 104], hungarian: [261, 89], switzerland: [46, 16], va: [130, 45] }
  for (const [hospital, [rows, testRows]] of Object.entries(expected)) {
    const file = `processed.${hospital}.data`
    const table = parseHeartCsv(read(file), { file })
    const parts = splitByLines(table, split.hospitals[hospital].test)
    assert.equal(table.length, rows)
    assert.equal(parts.test.length, testRows)
    assert.equal(parts.train.length, (rows as number) - (testRows as number))
  }
})

test('codes a line by hand: categories lose their first level, slope, ca and thal are not read [L-03]', () => {
  const row = parseHeartCsv(
    `${good}\r\n67,1,4,120,?,0,2,108,1,1.5,2,3,3,2\r\n67,1,4,120,229,0,1,129,1,2.6,?,??,x,2\r\n\n`,
    { file: 'a' },
  )
  assert.equal(
    inputNames(heartSchema).join(),
    'age,sex=1,cp=2,cp=3,cp=4,trestbps,chol,fbs=1,restecg=1,restecg=2,thalach,exang=1,oldpeak',
  )
  assert.deepEqual(
    row.map(({ lineIndex, label }) => [lineIndex, label]),
    [
      [0, 0],
      [2, 1],
    ],
  )
  assert.deepEqual([...row[0]!.inputs], [63, 1, 0, 0, 0, 145, 233, 1, 0, 1, 150, 0, 2.3])
  assert.deepEqual([...row[1]!.inputs], [67, 1, 0, 0, 1, 120, 229, 0, 1, 0, 129, 1, 2.6])
})

test('names file, line, column and value of each kind of bad field, and the way out [L-01]', () => {
  const cases: [string, string, string, string][] = [
    ['63,1,1,145', 'MISSING_COLUMNS', 'chol', '63,1,1,145'],
    [good.replace('145.0', 'high'), 'BAD_NUMBER', 'trestbps', 'high'],
    [good.replace('233.0', ''), 'BAD_NUMBER', 'chol', ''],
    [good.replace('233.0', '0x1f'), 'BAD_NUMBER', 'chol', '0x1f'],
    [good.replace('233.0', '1e999'), 'BAD_NUMBER', 'chol', '1e999'],
    [good.replace('63.0', '630'), 'OUT_OF_RANGE', 'age', '630'],
    [good.replace('1.0,1.0', '1.0,7'), 'BAD_CATEGORY', 'cp', '7'],
    [good.replace(/0$/, '5'), 'BAD_LABEL', 'num', '5'],
    [good.replace(/0$/, '0.5'), 'BAD_LABEL', 'num', '0.5'],
  ]
  for (const [line, code, column, value] of cases) {
    const error = refusal(`${good}\n${line}\n`)
    assert.equal(error.code, code, line)
    assert.deepEqual(
      [error.facts.file, error.facts.line, error.facts.column, error.facts.value],
      ['ward.csv', 2, column, value],
    )
    assert.match(error.message, /ward\.csv, line 2.*(Correct|Complete)/)
    assert.equal(error.remedy, 'fix-input')
  }
})

test('refuses a header line, an empty file and a table whose rows all lack a field [L-01]', () => {
  assert.equal(
    refusal(`age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num\n${good}`).code,
    'BAD_NUMBER',
  )
  assert.equal(refusal('').code, 'MISSING_COLUMNS')
  assert.equal(refusal(good.replace('63.0', '?')).code, 'NO_ROWS')
})

test('tells which lines were left out, and still checks the rest of them [L-02]', () => {
  const { droppedLines } = parseTable(`${good.replace(/0$/, '?')}\n${good}`, heartSchema, { file: 'a' })
  assert.deepEqual(droppedLines, [0])
  assert.equal(refusal(`${good}\n${good.replace('63.0', '?').replace('145.0', 'high')}`).code, 'BAD_NUMBER')
})

test('refuses a split that names a line without a usable row [L-02]', () => {
  const rows = parseHeartCsv(good, { file: 'a' })
  assert.throws(
    () => splitByLines(rows, [0, 9]),
    (error) => codeOf(error) === 'BAD_SPLIT',
  )
})
