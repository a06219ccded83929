import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inTestFolder, refusal, report, runTrain } from './testTraining.ts'

const { dir, write } = inTestFolder('potluck-base-')
write('verse.txt', 'Bring a dish, take a plate.\nWhat is shared is kept; what is kept alone is lost.\n'.repeat(12))
write('llama.json', JSON.stringify({ kind: 'llama', context: 16, width: 8, layers: 1, heads: 2, hidden: 12 }))
const textRun = ['--text', 'verse.txt', '--model', 'llama.json', '--steps', '12', '--batch', '2', '--overwrite']
write('table.csv', `x,answer\n${Array.from({ length: 60 }, (_, i) => `${i},${i > 30 ? 'yes' : 'no'}`).join('\n')}\n`)

test('a trained model of texts is gone on from, as a whole or by adapters that end up in its matrices', async () => {
  const base = await report(...textRun, '--out', 'base')
  const tune = ['--text', 'verse.txt', '--steps', '6', '--batch', '2', '--overwrite', '--base', 'base']
  const whole = await report(...tune, '--out', 'tuned')
  assert.equal(whole.params, base.params)
  assert.ok(whole.valid.loss < base.valid.loss)
  const adapters = await report(...tune, '--lora', '2:4', '--rate', '0.02', '--out', 'adapters')
  assert.ok(adapters.params < base.params)
  assert.ok(adapters.valid.loss < base.valid.loss)
  const size = (folder: string) => readFileSync(join(dir, folder, 'model.safetensors')).length
  assert.ok(Math.abs(size('adapters') - size('base')) < 64, 'the file holds plain matrices')
  const stopped = await runTrain(...tune, '--lora', '2:4', '--rate', '0.02', '--out', 'lora-parts', '--stop-after', '3')
  assert.equal(stopped.code, 0, stopped.stderr)
  const resumed = await report(
    ...tune.filter((one) => one !== '--overwrite'),
    '--lora',
    '2:4',
    '--rate',
    '0.02',
    '--out',
    'lora-parts',
    '--resume',
  )
  assert.equal(resumed.stateHash, adapters.stateHash)
  const other = await report(...textRun, '--seed', '2', '--out', 'other-base')
  assert.notEqual(other.stateHash, base.stateHash)
  await report('--csv', 'table.csv', '--target', 'answer', '--steps', '2', '--out', 'of-table')
  for (const [code, args] of [
    ['BAD_USAGE', ['--lora', '2']],
    ['BAD_USAGE', ['--base', 'base', '--lora', '0']],
    ['BAD_USAGE', ['--base', 'base', '--model', 'gpt']],
    ['FILE_MISSING', ['--base', 'nowhere']],
    ['BAD_BASE', ['--base', 'of-table']],
    [
      'BAD_CHECKPOINT',
      ['--base', 'other-base', '--lora', '2:4', '--rate', '0.02', '--steps', '6', '--out', 'lora-parts', '--resume'],
    ],
  ] as const) {
    const seen = await refusal('--out', 'bad', '--text', 'verse.txt', '--batch', '2', ...args)
    assert.equal(seen.code, code, `${args.join(' ')}: ${seen.message}`)
  }
  const table = await refusal('--csv', 'table.csv', '--target', 'answer', '--base', 'base', '--out', 'bad')
  assert.equal(table.code, 'BAD_USAGE')
})
