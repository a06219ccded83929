import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TrainReport } from '../training/finishRun.ts'
import { idxBytes } from '../training/images/testIdx.ts'
import { evaluate } from './evaluate.ts'
import { inTestFolder } from './testTraining.ts'
import { type TrainCommandOptions, train } from './train.ts'
import { trainCommand } from './trainCommand.ts'

inTestFolder('potluck-teacher-')

let shown = ''
async function run(...args: string[]): Promise<TrainReport> {
  const command = trainCommand().exitOverride()
  command.parseOptions(args)
  const answer = await train(command.opts<TrainCommandOptions>(), { isTty: false, write: () => undefined })
  shown = answer.lines.join('\n')
  return answer.value as TrainReport
}

/** Rows whose class follows from two of their columns. */
const rows = Array.from({ length: 150 }, (_, i) => {
  const [x, colour] = [(i * 37) % 100, ['red', 'green', 'blue'][(i * 7) % 3]!]
  return { x, colour, answer: x > 50 !== (colour === 'red') ? 'yes' : 'no' }
})
writeFileSync('table.csv', `x,colour,answer\n${rows.map((r) => `${r.x},${r.colour},${r.answer}`).join('\n')}\n`)
writeFileSync('moved.csv', `answer,x,colour\n${rows.map((r) => `${r.answer},${r.x},${r.colour}`).join('\n')}\n`)
writeFileSync('wide.yaml', 'kind: mlp\nhidden: [24]\nactivation: tanh\n')
writeFileSync('small.yaml', 'kind: mlp\nhidden: [5]\nactivation: tanh\n')
const table = ['--csv', 'table.csv', '--target', 'answer', '--overwrite']
const student = [...table, '--model', 'small.yaml', '--steps', '200', '--rate', '0.05', '--teacher', 'teacher']

const teacher = await run(...table, '--model', 'wide.yaml', '--steps', '300', '--rate', '0.02', '--out', 'teacher')

test('a student of a table is a smaller model that is as good, is written as a classifier, and says what its teacher is worth', async () => {
  const seen = await run(...student, '--test', 'table.csv', '--out', 'student')
  assert.equal(seen.kind, 'mlp')
  assert.ok(seen.params * 4 < teacher.params, `${seen.params} of ${teacher.params}`)
  const { distillation } = seen
  assert.equal(distillation?.teacher.params, teacher.params)
  assert.deepEqual(distillation?.teacher.valid, teacher.valid, 'the same rows are set aside')
  const behind = (teacher.valid.accuracy ?? 0) - (seen.valid.accuracy ?? 0)
  assert.ok(behind < 0.1, `${seen.valid.accuracy} of ${teacher.valid.accuracy}`)
  const config = JSON.parse(readFileSync(join('student', 'config.json'), 'utf8')) as { classes: number }
  assert.equal(config.classes, 2)
  assert.match(shown, /teacher: mlp, \d+ parameters, [\d.]+ % of validation rows right, [\d.]+ % of test rows/)
  const again = await evaluate({
    folder: 'student',
    test: 'table.csv',
    header: 'auto',
    committed: [],
    executor: 'auto',
  })
  assert.deepEqual((again.value as { accuracy: number }).accuracy, seen.test?.accuracy)
})

test('what stands beside the student is the run that the same command without a teacher is', async () => {
  const seen = await run(...student, '--out', 'beside')
  writeFileSync('plain.yaml', 'kind: mlp\nhidden: [5]\nactivation: tanh\ndropout: 0\n')
  const alone = await run(...student.slice(0, -2), '--model', 'plain.yaml', '--out', 'alone')
  assert.deepEqual(seen.distillation?.labelsAlone?.valid, alone.valid)
  assert.notEqual(seen.stateHash, alone.stateHash)
})

test('a student that was stopped goes on to the same bits, and not with another teacher', async () => {
  const whole = await run(...student, '--out', 'whole')
  await run(...student, '--out', 'parts', '--stop-after', '50')
  const rest = student.filter((one) => one !== '--overwrite')
  const resumed = await run(...rest, '--out', 'parts', '--resume')
  assert.equal(resumed.stateHash, whole.stateHash)
  for (const name of ['model.safetensors', 'checkpoint.safetensors', 'config.json', 'model.onnx']) {
    assert.deepEqual(readFileSync(join('parts', name)), readFileSync(join('whole', name)), name)
  }
  await run(...table, '--model', 'wide.yaml', '--steps', '5', '--out', 'other')
  const changed = run(...rest.with(-1, 'other'), '--out', 'parts', '--resume')
  await assert.rejects(changed, { code: 'BAD_CHECKPOINT', message: /teacher/ })
})

test('a student reads rows as its teacher does, whatever the order of columns', async () => {
  const seen = await run(...student.with(1, 'moved.csv'), '--out', 'moved')
  const usual = await run(...student, '--out', 'usual')
  assert.equal(seen.stateHash, usual.stateHash)
})

test('a linear student of a convolutional teacher is written as the logistic model it was asked to be', async () => {
  const image = (i: number): number[] =>
    Array.from({ length: 36 }, (_, at) =>
      Math.floor(at / 18) === i % 2 ? 180 + ((i * 31 + at) % 70) : (i * 17 + at) % 60,
    )
  const images = (count: number) => idxBytes([count, 6, 6], Array.from({ length: count }, (_, i) => image(i)).flat())
  writeFileSync('images', images(80))
  writeFileSync(
    'labels',
    idxBytes(
      [80],
      Array.from({ length: 80 }, (_, i) => i % 2),
    ),
  )
  writeFileSync('flat', idxBytes([80, 6, 5], new Array<number>(80 * 30).fill(7)))
  const pictures = ['--images', 'images', '--labels', 'labels', '--batch', '8', '--steps', '40', '--overwrite']
  await run(...pictures, '--out', 'cnn')
  const seen = await run(...pictures, '--model', 'logistic', '--teacher', 'cnn', '--out', 'linear')
  assert.deepEqual([seen.kind, seen.params, seen.distillation?.teacher.kind], ['logistic', 74, 'cnn'])
  assert.equal(seen.valid.accuracy, 1)
  const usual = await run(...pictures, '--teacher', 'cnn', '--steps', '2', '--out', 'usual')
  assert.equal(usual.kind, 'mlp')
  for (const [code, args] of [
    ['BAD_STUDENT', ['--model', 'cnn', '--teacher', 'cnn']],
    ['BAD_TEACHER', ['--teacher', 'teacher']],
    ['BAD_TEACHER', ['--teacher', 'cnn', '--classes', '3']],
    ['BAD_TEACHER', ['--teacher', 'cnn', '--images', 'flat']],
    ['FILE_MISSING', ['--teacher', 'nowhere']],
    ['BAD_USAGE', ['--teacher', 'cnn', '--clients', '2']],
  ] as const) {
    const seen = run(...pictures, ...args, '--out', 'bad').then(() => 'no error')
    await assert.rejects(seen, { code }, args.join(' '))
  }
})

test('a teacher of another column, of numbers, or of a text is refused with what differs', async () => {
  writeFileSync('numbers.csv', `a,b\n${Array.from({ length: 40 }, (_, i) => `${i},${3 * i}.5`).join('\n')}\n`)
  await run('--csv', 'numbers.csv', '--target', 'b', '--steps', '2', '--overwrite', '--out', 'numbers')
  for (const [code, args] of [
    ['OTHER_TARGET', [...student.with(3, 'colour')]],
    ['MISSING_COLUMNS', ['--csv', 'short.csv', '--target', 'answer', '--teacher', 'teacher']],
    ['BAD_TEACHER', ['--csv', 'numbers.csv', '--target', 'b', '--teacher', 'numbers']],
    ['BAD_USAGE', [...student, '--ignore', 'x']],
    ['BAD_USAGE', ['--text', 'table.csv', '--teacher', 'teacher']],
  ] as const) {
    writeFileSync('short.csv', 'x,answer\n1,yes\n2,no\n3,yes\n')
    const seen = run(...args, '--out', 'bad').then(() => 'no error')
    await assert.rejects(seen, { code }, args.join(' '))
  }
})
