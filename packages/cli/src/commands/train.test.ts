import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { TrainReport } from '../training/finishRun.ts'
import { idxBytes } from '../training/images/testIdx.ts'
import type { LoggedStep } from '../training/report/RunLog.ts'
import { inTestFolder, refusal, report, runTrain } from './testTraining.ts'

const bin = fileURLToPath(new URL('../../bin/potluck.mjs', import.meta.url))
const { dir, write } = inTestFolder('potluck-train-')

/** Rows whose class follows from two of their columns; some fields are missing. */
const rows = Array.from({ length: 120 }, (_, i) => {
  const [x, colour] = [(i * 37) % 100, ['red', 'green', 'blue'][(i * 7) % 3]]
  const isYes = x > 50 !== (colour === 'red')
  return `${i % 11 === 0 ? '?' : x},${i % 13 === 0 ? '' : colour},${isYes ? 'yes' : 'no'}`
})
write('table.csv', `x,colour,answer\n${rows.join('\n')}\n`)
const table = ['--csv', 'table.csv', '--target', 'answer', '--steps', '30', '--model', 'mlp.yaml']
write('mlp.yaml', 'kind: mlp\nhidden: [8]\nactivation: tanh\ndropout: 0.2\n')

test('a table trains, and a run that was stopped goes on to the same bits', async () => {
  const whole = await report(...table, '--out', 'whole', '--test', 'table.csv', '--checkpoint-every', '7')
  assert.deepEqual(Object.keys(whole), [
    'kind',
    'params',
    'steps',
    'seconds',
    'executor',
    'threads',
    'train',
    'valid',
    'test',
    'stateHash',
    'files',
  ])
  assert.deepEqual([whole.kind, whole.params, whole.steps], ['mlp', 6 * 8 + 8 + 8 * 2 + 2, 30])
  assert.deepEqual(Object.keys(whole.valid), ['loss', 'accuracy'])
  assert.deepEqual(Object.keys(whole.test ?? {}), ['loss', 'accuracy', 'n'])
  assert.equal(whole.test?.n, 120)

  const stopped = await runTrain(...table, '--out', 'parts', '--stop-after', '13')
  assert.equal(stopped.code, 0, stopped.stderr)
  assert.match(stopped.stdout, /stopped after step 13 of 30.*--resume/)
  const again = await refusal(...table, '--out', 'parts')
  assert.equal(again.code, 'RUN_EXISTS')
  const resumed = await report(...table, '--out', 'parts', '--resume', '--test', 'table.csv')
  assert.equal(resumed.stateHash, whole.stateHash)
  assert.deepEqual([resumed.train, resumed.valid, resumed.test], [whole.train, whole.valid, whole.test])
  for (const name of ['model.safetensors', 'checkpoint.safetensors', 'model.onnx', 'config.json']) {
    assert.deepEqual(readFileSync(join(dir, 'parts', name)), readFileSync(join(dir, 'whole', name)), name)
  }
  const steps = readFileSync(join(dir, 'parts', 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
  assert.deepEqual(
    steps.map((line) => (JSON.parse(line) as LoggedStep).step),
    Array.from({ length: 30 }, (_, i) => i + 1),
  )
  const done = await report(...table, '--out', 'parts', '--resume', '--test', 'table.csv')
  assert.deepEqual(done, { ...resumed, seconds: done.seconds })
})

test('a checkpoint of another program or other data, or a damaged one, is refused', async () => {
  const other = await refusal(...table, '--batch', '5', '--out', 'whole', '--resume')
  assert.deepEqual([other.code, other.message.includes('recipe')], ['BAD_CHECKPOINT', true])
  write('other.csv', `x,colour,answer\n${rows.toReversed().join('\n')}\n`)
  const data = await refusal(...table.with(1, 'other.csv'), '--out', 'whole', '--resume')
  assert.deepEqual([data.code, data.message.includes('data')], ['BAD_CHECKPOINT', true])
  const file = join(dir, 'whole', 'checkpoint.safetensors')
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.subarray(0, 100))
  assert.match((await refusal(...table, '--out', 'whole', '--resume')).code, /^FORMAT_/)
  assert.equal((await refusal(...table, '--out', 'nothing', '--resume')).code, 'NO_CHECKPOINT')
})

test('every executor and number of threads gives the same state', async () => {
  const common = [...table, '--steps', '4', '--overwrite', '--out', 'each']
  const wasm = await report(...common, '--executor', 'wasm', '--threads', '1')
  for (const how of [
    ['wasm', '2'],
    ['reference', '1'],
    ['auto', '2'],
  ] as const) {
    const other = await report(...common, '--executor', how[0], '--threads', how[1])
    assert.equal(other.stateHash, wasm.stateHash, how.join(' '))
    assert.deepEqual(other.valid, wasm.valid)
  }
})

test('a number is predicted, and the terminal shows what was done with the table', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `${i / 3};${(i * 7) % 10};${2 * i + ((i * 7) % 10)}`)
  write('numbers.csv', `a;b;y\n${lines.join('\n')}`)
  const { code, stdout, stderr } = await runTrain('--csv', 'numbers.csv', '--target', 'y', '--out', 'numbers')
  assert.equal(code, 0, stderr)
  assert.match(stderr, /parted by semicolon/)
  assert.match(stderr, /regression \(it holds \d+ different numbers/)
  assert.match(stderr, /memory at its peak: .* for a step/)
  assert.match(stderr, /step 500: training [\d.e-]+, validation [\d.e-]+\n/)
  assert.match(stdout, /root mean square/)
  assert.match(stdout, /state 0x[0-9a-f]{64}/)
})

/** Squares of light in one of four corners: the class is the corner. */
const image = (i: number): number[] =>
  Array.from({ length: 64 }, (_, at) => {
    const [row, column] = [at >> 3, at & 7]
    const isLit = row >> 2 === (i & 1) && column >> 2 === ((i >> 1) & 1)
    return isLit ? 200 + ((i * 31 + at) % 50) : (i * 17 + at * 7) % 40
  })
const labels = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 4)
const pictures = (count: number, from = 0): Uint8Array =>
  idxBytes([count, 8, 8], Array.from({ length: count }, (_, i) => image(from + i)).flat())
write('images.gz', gzipSync(pictures(200)))
write('labels', idxBytes([200], labels(200)))
write('test-images', pictures(40, 1000))
write('test-labels', idxBytes([40], labels(40)))
const imageRun = [
  '--images',
  'images.gz',
  '--labels',
  'labels',
  '--steps',
  '60',
  '--batch',
  '8',
  '--out',
  'pictures',
  '--overwrite',
]

test('images train a convolutional network that knows images it never saw', async () => {
  const seen = await report(...imageRun, '--test-images', 'test-images', '--test-labels', 'test-labels')
  assert.equal(seen.kind, 'cnn')
  assert.ok((seen.test?.accuracy ?? 0) > 0.9, JSON.stringify(seen.test))
  assert.deepEqual(
    seen.files.map((file) => file.split('/').at(-1)),
    ['model.safetensors', 'config.json', 'model.onnx'],
  )
})

test('images and labels that do not fit are refused', async () => {
  write('bad-labels', idxBytes([200], labels(200).with(7, 9)))
  const range = await refusal(...imageRun.with(3, 'bad-labels'), '--classes', '4')
  assert.deepEqual([range.code, /image 7 has label 9/.test(range.message)], ['LABEL_RANGE', true])
  assert.equal((await refusal(...imageRun.with(3, 'test-labels'))).code, 'SHAPE')
  write('cut', gzipSync(pictures(200)).subarray(0, 500))
  assert.equal((await refusal(...imageRun.with(1, 'cut'))).code, 'BAD_GZIP')
  write('liar', idxBytes([4_000_000_000, 28, 28], [1, 2, 3]))
  assert.equal((await refusal(...imageRun.with(1, 'liar'))).code, 'BAD_IDX')
})

const verse = 'Bring a dish, take a plate.\nWhat is shared is kept; what is kept alone is lost.\n'.repeat(12)
write('verse.txt', verse)
write('llama.json', JSON.stringify({ kind: 'llama', context: 16, width: 8, layers: 1, heads: 2, hidden: 12 }))
const textRun = ['--text', 'verse.txt', '--model', 'llama.json', '--steps', '12', '--batch', '2', '--overwrite']

test('a text trains a llama with characters or byte pairs, and every file is there', async () => {
  const seen = await report(...textRun, '--out', 'verse', '--test', 'verse.txt')
  assert.equal(seen.kind, 'llama')
  assert.equal(seen.test?.n, verse.length - 1)
  assert.deepEqual(readdirSync(join(dir, 'verse')).sort(), [
    'checkpoint.safetensors',
    'config.json',
    'log.jsonl',
    'model.gguf',
    'model.onnx',
    'model.safetensors',
    'tokenizer.json',
  ])
  const pairs = await report(...textRun, '--out', 'pairs', '--tokenizer', 'bpe:270')
  assert.ok(pairs.params > seen.params)
  write('foreign.txt', 'Ein Gericht für alle, und für alle ein Gericht.')
  const foreign = await refusal(...textRun, '--out', 'verse', '--test', 'foreign.txt')
  assert.deepEqual([foreign.code, foreign.message.includes('bpe:512')], ['UNKNOWN_CHARACTER', true])
})

test('bad input is one error that says what was wrong and what to do', async () => {
  write('empty', '')
  write('one.csv', 'a,b\n1,2\n')
  for (const [code, args] of [
    ['BAD_USAGE', []],
    ['BAD_USAGE', ['--csv', 'table.csv']],
    ['BAD_USAGE', ['--csv', 'table.csv', '--text', 'verse.txt', '--target', 'x']],
    ['BAD_USAGE', ['--text', 'verse.txt', '--labels', 'labels']],
    ['BAD_USAGE', ['--text', 'verse.txt', '--tokenizer', 'bpe:3']],
    ['FILE_MISSING', ['--text', 'none.txt']],
    ['FILE_MISSING', ['--text', 'verse.txt', '--model', 'none.json']],
    ['EMPTY_FILE', ['--csv', 'empty', '--target', 'a']],
    ['TOO_FEW_ROWS', ['--csv', 'one.csv', '--target', 'a']],
    ['UNKNOWN_COLUMN', ['--csv', 'table.csv', '--target', 'price']],
    ['BAD_CONFIG', ['--csv', 'table.csv', '--target', 'answer', '--model', 'llama']],
    ['BAD_TEXT', ['--text', 'images.gz']],
    ['SHORT_TEXT', ['--text', 'mlp.yaml', '--valid', '1']],
  ] as const) {
    const seen = await refusal(...args, '--out', 'bad')
    assert.equal(seen.code, code, `${args.join(' ')}: ${seen.message}`)
  }
  write('wide.yaml', 'kind: mlp\ninputs: 99\n')
  const shape = await refusal('--csv', 'table.csv', '--target', 'answer', '--model', 'wide.yaml')
  assert.deepEqual([shape.code, /99.*has 6/.test(shape.message)], ['SHAPE', true])
  write('huge.yaml', 'kind: mlp\nhidden: [1000000, 100000]\n')
  const memory = await refusal('--csv', 'table.csv', '--target', 'answer', '--model', 'huge.yaml')
  assert.deepEqual([memory.code, memory.message.includes('free')], ['OUT_OF_MEMORY', true])
})

test('the command itself ends with one JSON value, or one error and exit code 1', () => {
  const potluck = (...args: string[]) =>
    spawnSync(process.execPath, [bin, 'train', '--json', ...args], { encoding: 'utf8', cwd: dir, timeout: 60_000 })
  const good = potluck(...table, '--steps', '2', '--out', 'command')
  assert.deepEqual([good.status, good.stderr], [0, ''])
  assert.equal((JSON.parse(good.stdout) as TrainReport).kind, 'mlp')
  for (const [code, args] of [
    ['BAD_USAGE', ['--text', 'verse.txt', '--rate', '-1']],
    ['FILE_MISSING', ['--text', 'none.txt']],
  ] as const) {
    const bad = potluck(...args)
    assert.deepEqual([bad.status, bad.stdout], [1, ''])
    assert.equal((JSON.parse(bad.stderr) as { error: { code: string } }).error.code, code)
  }
})
