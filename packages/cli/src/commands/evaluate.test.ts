import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { checkEvaluation, parseEvaluation, type SignedEvaluation } from '../evaluation/SignedEvaluation.ts'
import type { TrainReport } from '../training/finishRun.ts'
import { idxBytes } from '../training/images/testIdx.ts'
import { type EvaluateOptions, evaluate } from './evaluate.ts'
import { evaluateCommand } from './evaluateCommand.ts'
import { type TrainCommandOptions, train } from './train.ts'
import { trainCommand } from './trainCommand.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-evaluate-'))
after(() => rmSync(dir, { recursive: true }))
const at = (name: string): string => join(dir, name)

async function trained(...args: string[]): Promise<TrainReport> {
  const command = trainCommand().exitOverride()
  command.parseOptions(['--threads', '1', ...args])
  const options = command.opts<TrainCommandOptions>()
  return (await train(options, { isTty: false, write: () => undefined })).value as TrainReport
}

async function evaluated(folder: string, ...args: string[]): Promise<SignedEvaluation> {
  const command = evaluateCommand().exitOverride()
  command.parseOptions(['--threads', '1', ...args])
  return (await evaluate({ ...command.opts<EvaluateOptions>(), folder: at(folder) })).value as SignedEvaluation
}

const sha256 = (file: string): string => `0x${createHash('sha256').update(readFileSync(file)).digest('hex')}`

let report: TrainReport
const testFile = at('test.csv')
before(async () => {
  const rows = (from: number, count: number): string =>
    Array.from({ length: count }, (_, i) => {
      const x = ((from + i) * 37) % 100
      return `${x},${['a', 'b'][i % 2]},${x > 50 ? 'yes' : 'no'}`
    }).join('\n')
  writeFileSync(at('train.csv'), `x,c,answer\n${rows(0, 80)}\n`)
  writeFileSync(testFile, `c,answer,x\n${rows(500, 30).replace(/^(\d+),(\w),(\w+)$/gm, '$2,$3,$1')}\n`)
  writeFileSync(at('key'), `0x${'07'.repeat(32)}\n`)
  chmodSync(at('key'), 0o600)
  report = await trained(
    '--csv',
    at('train.csv'),
    '--target',
    'answer',
    '--steps',
    '30',
    '--out',
    at('table'),
    '--test',
    testFile,
  )
})

test('an evaluation finds what training found on the same rows, and names model and test set by their bytes', async () => {
  const seen = await evaluated('table', '--test', testFile)
  assert.deepEqual({ loss: seen.loss, accuracy: seen.accuracy, n: seen.n }, report.test)
  assert.equal(seen.model, sha256(at('table/model.safetensors')))
  assert.deepEqual(seen.testSet, [sha256(testFile)])
  assert.ok(!('signature' in seen))
})

test('a signed evaluation checks out by computing it again, and nothing of it can be changed', async () => {
  const signed = await evaluated('table', '--test', testFile, '--key', at('key'), '--out', at('result.json'))
  const text = readFileSync(at('result.json'), 'utf8')
  assert.deepEqual(parseEvaluation(text, 'result.json'), signed)
  const again = await evaluated('table', '--test', testFile, '--verify', at('result.json'), '--executor', 'reference')
  assert.deepEqual(again, { ...signed, isRight: true })
  for (const change of [
    { accuracy: 1 },
    { loss: 0 },
    { n: 3 },
    { model: `0x${'1'.repeat(64)}` },
    { testSet: [`0x${'1'.repeat(64)}`] },
  ]) {
    assert.throws(() => checkEvaluation({ ...signed, ...change } as SignedEvaluation), { code: 'BAD_SIGNATURE' })
  }
  for (const bad of [
    '',
    '{}',
    '[]',
    text.replace('potluck-evaluation-1', 'x'),
    JSON.stringify({ ...signed, signature: '0x' }),
  ]) {
    assert.throws(() => parseEvaluation(bad, 'f'), { code: 'BAD_EVALUATION' })
  }
})

test('a lie of the signer, another test set and another model are found', async () => {
  const { signEvaluation } = await import('../evaluation/SignedEvaluation.ts')
  const honest = await evaluated('table', '--test', testFile)
  const lie = signEvaluation({ ...honest, accuracy: 0.99 }, new Uint8Array(32).fill(7))
  writeFileSync(at('lie.json'), JSON.stringify(lie))
  await assert.rejects(evaluated('table', '--test', testFile, '--verify', at('lie.json')), { code: 'OTHER_RESULT' })
  await assert.rejects(evaluated('table', '--test', at('train.csv'), '--committed', sha256(testFile)), {
    code: 'TEST_SET_CHANGED',
  })
  assert.ok(await evaluated('table', '--test', testFile, '--committed', sha256(testFile)))
  await trained('--csv', at('train.csv'), '--target', 'answer', '--steps', '5', '--out', at('other'))
  await evaluated('table', '--test', testFile, '--key', at('key'), '--out', at('of-table.json'))
  await assert.rejects(evaluated('other', '--test', testFile, '--verify', at('of-table.json')), {
    code: 'OTHER_RESULT',
  })
})

test('images and texts are evaluated as they were trained', async () => {
  const picture = (i: number): number[] =>
    Array.from({ length: 64 }, (_, p) => (p >> 5 === (i & 1) ? 220 : (i * 17 + p * 7) % 40))
  const write = (name: string, from: number, count: number): void => {
    writeFileSync(at(name), idxBytes([count, 8, 8], Array.from({ length: count }, (_, i) => picture(from + i)).flat()))
    writeFileSync(
      at(`${name}-labels`),
      idxBytes(
        [count],
        Array.from({ length: count }, (_, i) => (from + i) & 1),
      ),
    )
  }
  write('images', 0, 60)
  write('test-images', 400, 20)
  const files = ['--test-images', at('test-images'), '--test-labels', at('test-images-labels')]
  const images = await trained(
    '--images',
    at('images'),
    '--labels',
    at('images-labels'),
    '--steps',
    '10',
    '--batch',
    '4',
    '--out',
    at('cnn'),
    ...files,
  )
  const seen = await evaluated('cnn', ...files)
  assert.deepEqual({ loss: seen.loss, accuracy: seen.accuracy, n: seen.n }, images.test)
  assert.equal(seen.testSet.length, 2)
  writeFileSync(at('verse.txt'), 'Bring a dish, take a plate.\nWhat is shared is kept.\n'.repeat(8))
  writeFileSync(at('llama.json'), '{"kind":"llama","context":12,"width":8,"layers":1,"heads":2,"hidden":12}')
  const text = await trained(
    '--text',
    at('verse.txt'),
    '--model',
    at('llama.json'),
    '--steps',
    '4',
    '--batch',
    '2',
    '--out',
    at('text'),
    '--test',
    at('verse.txt'),
  )
  assert.equal((await evaluated('text', '--test', at('verse.txt'))).loss, text.test?.loss)
  await assert.rejects(evaluated('text', ...files), { code: 'BAD_USAGE' })
  await assert.rejects(evaluated('cnn', '--test', testFile), { code: 'BAD_USAGE' })
  await assert.rejects(evaluated('nowhere', '--test', testFile), { code: 'FILE_MISSING' })
})
