import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PotluckError } from '@potluck/protocol'
import { describeTable } from './describeTable.ts'
import { encodeRows, inputCount } from './encodeRows.ts'
import { fitColumns, statisticsOf } from './fitColumns.ts'
import { fitTarget } from './fitTarget.ts'
import { matchColumns } from './matchColumns.ts'
import { delimiterOf, parseCsv } from './parseCsv.ts'
import { readRecords } from './readRecords.ts'

const fieldsOf = (text: string, delimiter: ',' | ';' | '\t' = ','): readonly (readonly string[])[] =>
  readRecords(text, delimiter, 't.csv').map(({ fields }) => fields)

const refusal =
  (code: string, ...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError, String(thrown))
    assert.equal(thrown.code, code)
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

const wishes = { target: 0, ignore: [], categorical: [] }

test('quoted fields hold delimiters, line ends and doubled quotes; plain ones are trimmed', () => {
  assert.deepEqual(fieldsOf('a, b ,"c,d"\r\n"say ""hi""","two\r\nlines",\n'), [
    ['a', 'b', 'c,d'],
    ['say "hi"', 'two\r\nlines', ''],
  ])
  assert.deepEqual(fieldsOf('\uFEFFa;b\n\n1; "2" \n', ';'), [
    ['a', 'b'],
    ['1', '2'],
  ])
  assert.deepEqual(fieldsOf('a\t\tb', '\t'), [['a', '', 'b']])
  assert.deepEqual(
    readRecords('x\n"1\n2"\n\ny', ',', 't.csv').map(({ line }) => line),
    [1, 2, 5],
  )
})

test('every table of fields, quoted, reads back as it was', () => {
  const alphabet = ['a', '"', ',', '\n', '\r\n', ' ', '', '7', ';']
  let state = 12345
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  for (let trial = 0; trial < 200; trial++) {
    const rows = Array.from({ length: 1 + next(4) }, () =>
      Array.from({ length: 3 }, () => Array.from({ length: next(5) }, () => alphabet[next(9)]).join('')),
    )
    const text = rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')).join('\n')
    assert.deepEqual(fieldsOf(text), rows, text)
  }
})

test('a quote that is never closed, text after one and uneven lines are refused with their line', () => {
  assert.throws(() => parseCsv('a,b\n1,"2\n3,4\n', 't.csv'), refusal('BAD_CSV', 'line 2', 'never closed'))
  assert.throws(() => parseCsv('a,b\n"1"x,2\n', 't.csv'), refusal('BAD_CSV', 'line 2', '"x,2'))
  assert.throws(() => parseCsv('a,b\n1,2\n1,2,3\n', 't.csv'), refusal('BAD_CSV', 'line 3', '3 fields', '2 in'))
  assert.throws(() => parseCsv('a,a\n1,2\n', 't.csv', 'yes'), refusal('BAD_CSV', '"a"'))
  assert.throws(() => parseCsv('\n \n', 't.csv'), refusal('NO_ROWS'))
  assert.throws(() => parseCsv('a,b\n', 't.csv'), refusal('NO_ROWS', 'below the names'))
})

test('the delimiter is the one that splits all lines alike', () => {
  assert.equal(delimiterOf('name;x\n1,5;2\n2,25;3\n', 't'), ';')
  assert.equal(delimiterOf('a\tb\tc\n1,0\t2\t3', 't'), '\t')
  assert.equal(delimiterOf('a,b\n"x;y",2\n"z;w",3', 't'), ',')
  assert.equal(delimiterOf('one\ntwo', 't'), ',')
})

test('a first line of words names the columns, one with a number does not', () => {
  assert.deepEqual(parseCsv('x,y\n1,2\n', 't').columns, ['x', 'y'])
  assert.deepEqual(parseCsv('63,1\n1,2\n', 't').columns, ['c1', 'c2'])
  assert.equal(parseCsv('63,1\n1,2\n', 't', 'yes').rows.length, 1)
  assert.equal(parseCsv('a,b\nc,d\n', 't', 'no').rows.length, 2)
})

test('numbers are standardised, gaps marked, categories get an input each, all from training rows only', () => {
  const text = 'y,age,colour,same,id\n0,10,red,1,u1\n1,20,blue,1,u2\n0,?,red,1,u3\n1,30,,1,u4\n0,999,green,2,u5\n'
  const table = parseCsv(text, 't.csv')
  const train = table.rows.slice(0, 4)
  const columns = fitColumns(table, train, { ...wishes, ignore: ['id'] })
  const target = fitTarget(table, table.rows, train, 0)
  const encoding = { columns, target }
  assert.equal(target.task, 'classification')
  const age = columns[0]!
  assert.ok(age.kind === 'number' && age.mean === 20 && age.indicator && age.missing === 1)
  assert.ok(Math.abs(age.deviation - Math.sqrt(200 / 3)) < 1e-12)
  assert.deepEqual(columns[1], {
    kind: 'category',
    name: 'colour',
    index: 2,
    categories: ['red', '(missing)'],
    other: true,
    fill: '(missing)',
    missing: 1,
  })
  assert.deepEqual(columns[2], { kind: 'ignored', name: 'same', index: 3, why: 'one value only' })
  assert.deepEqual(columns[3], { kind: 'ignored', name: 'id', index: 4, why: 'as asked' })
  assert.equal(inputCount(encoding), 5)
  const { inputs, classes } = encodeRows(table, table.rows, encoding)
  assert.deepEqual([...classes], [0, 1, 0, 1, 0])
  const one = Math.fround(10 / Math.sqrt(200 / 3))
  assert.deepEqual(
    [...inputs],
    [-one, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, one, 0, 0, 1, 0, 20, 0, 0, 0, 1],
    'the last row, no training row, is far out and of an unseen colour',
  )
  assert.ok(describeTable(table, encoding).some((line) => line.includes('1 missing take the mean')))
})

test('text that differs in nearly every row is left out, a few stray words in numbers count as missing', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `n${i},${i === 7 ? 'about 7' : i * i},${i % 2 ? 'yes' : 'no'}`)
  const table = parseCsv(`name,size,big\n${lines.join('\n')}`, 't.csv')
  const [name, size] = fitColumns(table, table.rows, { ...wishes, target: 2 })
  assert.ok(name?.kind === 'ignored' && name.why.includes('nearly every row'))
  assert.ok(size?.kind === 'number' && size.strays === 1 && size.indicator)
  const [, asCategory] = fitColumns(table, table.rows, { ...wishes, target: 2, categorical: ['size'] })
  assert.ok(asCategory?.kind === 'category' && asCategory.other)
  assert.throws(
    () => fitColumns(table, table.rows, { ...wishes, target: 2, ignore: ['colour'] }),
    refusal('UNKNOWN_COLUMN', '"colour"', 'name, size, big'),
  )
  assert.throws(
    () => fitColumns(table, table.rows, { ...wishes, target: 2, ignore: ['size'] }),
    refusal('NO_INPUTS', 'name (differs', 'size (as asked)'),
  )
})

test('words and few whole numbers are classes, many numbers are predicted, and a wish decides otherwise', () => {
  const table = parseCsv(
    `word,few,many\n${Array.from({ length: 30 }, (_, i) => `w${i % 3},${10 - (i % 3)},${i * 1.5}`).join('\n')}`,
    't.csv',
  )
  const of = (index: number, task?: 'classification' | 'regression') =>
    fitTarget(table, table.rows, table.rows, index, task)
  const few = of(1)
  assert.deepEqual(few.task === 'classification' && few.classes, ['8', '9', '10'])
  const many = of(2)
  assert.ok(many.task === 'regression' && many.mean === 21.75)
  assert.equal(of(1, 'regression').task, 'regression')
  assert.throws(() => of(0, 'regression'), refusal('BAD_NUMBER', 'line 2', '"w0"'))
  const constant = parseCsv('x,y\n1,a\n2,a\n', 't.csv')
  assert.throws(() => fitTarget(constant, constant.rows, constant.rows, 1), refusal('BAD_TARGET', 'is a in every row'))
})

test('a class that training never saw is refused with its line, rows without a target are dropped', () => {
  const table = parseCsv('x,y\n1,a\n2,b\n3,\n4,a\n', 't.csv')
  const encoding = {
    columns: fitColumns(table, table.rows, { ...wishes, target: 1 }),
    target: fitTarget(table, table.rows, table.rows, 1),
  }
  assert.equal(encodeRows(table, table.rows, encoding).dropped, 1)
  const test = matchColumns(parseCsv('y,z,x\na,0,1\nc,0,2\n', 'test.csv'), table.columns)
  assert.throws(
    () => encodeRows(test, test.rows, encoding),
    refusal('UNKNOWN_CLASS', 'test.csv, line 3', '"c"', 'a, b'),
  )
  assert.throws(() => matchColumns(parseCsv('x,w\n1,2\n', 'test.csv'), table.columns), refusal('MISSING_COLUMNS', 'y'))
})

test('a constant column of fractions has no deviation', () => {
  assert.equal(statisticsOf(Array.from({ length: 1000 }, () => 0.1)).deviation, 0)
  assert.deepEqual(statisticsOf([1, 3]), { mean: 2, deviation: 1 })
})
