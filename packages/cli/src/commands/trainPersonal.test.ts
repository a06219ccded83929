import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSafetensors } from '@potluck/engine'
import type { FederatedReport } from '../federated/finishFederated.ts'
import { inTestFolder } from './testTraining.ts'
import { type TrainCommandOptions, train } from './train.ts'
import { trainCommand } from './trainCommand.ts'

inTestFolder('potluck-personal-')

let shown = ''
async function run(...args: string[]): Promise<FederatedReport> {
  const command = trainCommand().exitOverride()
  command.parseOptions(['--threads', '1', ...args])
  const answer = await train(command.opts<TrainCommandOptions>(), { isTty: false, write: () => undefined })
  shown = answer.lines.join('\n')
  return answer.value as FederatedReport
}

/** Two sites that call the same rows by each other's names. */
const rows = Array.from({ length: 400 }, (_, i) => {
  const [x, z] = [(i * 37) % 100, (i * 53) % 80]
  const isSouth = i % 4 > 1
  return `${x},${z},${isSouth ? 'south' : 'north'},${x + z > 90 !== isSouth ? 'yes' : 'no'}`
})
writeFileSync('table.csv', `x,z,site,answer\n${rows.join('\n')}\n`)
writeFileSync('mlp.yaml', 'kind: mlp\nhidden: [8]\nactivation: tanh\ndropout: 0\n')
const data = ['--csv', 'table.csv', '--target', 'answer', '--partition', 'by-column:site', '--overwrite']
const settings = [...data, '--model', 'mlp.yaml', '--rate', '0.02', '--rounds', '15', '--personal-head']

test('sites that disagree are right with heads of their own where one model for all is not, and the report says both', async () => {
  const { personal, bytes, files } = await run(...settings, '--out', 'own')
  assert.ok((personal?.own.accuracy ?? 0) > 0.85, JSON.stringify(personal))
  assert.ok((personal?.common?.accuracy ?? 1) < 0.7, JSON.stringify(personal))
  assert.deepEqual([personal?.own.n, personal?.common?.n, personal?.meanHead?.n], [64, 64, 64])
  assert.match(shown, /each with its own head: loss [\d.e-]+, [\d.]+ % right\n {2}one model for all/)
  const whole = await run(...settings.slice(0, -1), '--out', 'whole')
  assert.ok(bytes.up < whole.bytes.up, 'heads do not travel')
  assert.equal(whole.personal, undefined)
  assert.ok(files.includes(join('own', 'heads.safetensors')))
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(join('own', 'heads.safetensors'))))
  assert.deepEqual([...tensors.keys()].sort(), [
    'north/layer1',
    'north/layer1.bias',
    'south/layer1',
    'south/layer1.bias',
  ])
  assert.deepEqual(tensors.get('north/layer1')?.shape, [8, 2])
})

test('a run with personal heads that was stopped goes on to the same bits', async () => {
  const short = [...settings, '--rounds', '6', '--per-round', '1']
  const whole = await run(...short, '--out', 'short')
  await run(...short, '--out', 'parts', '--stop-after', '3')
  const resumed = await run(...short.filter((one) => one !== '--overwrite'), '--out', 'parts', '--resume')
  assert.deepEqual([resumed.stateHash, resumed.personal], [whole.stateHash, whole.personal])
  for (const name of ['heads.safetensors', 'model.safetensors', 'checkpoint.safetensors']) {
    assert.deepEqual(readFileSync(join('parts', name)), readFileSync(join('short', name)), name)
  }
})

test('under noise no head is worked into the model that is written, and nothing is trained without it', async () => {
  const { personal, files } = await run(...settings, '--rounds', '2', '--noise', '1/1', '--out', 'noise')
  assert.deepEqual([personal?.meanHead, personal?.common], [null, null])
  const tensorsOf = (name: string) => readSafetensors(new Uint8Array(readFileSync(join('noise', name)))).tensors
  const [model, heads] = [tensorsOf('model.safetensors'), tensorsOf('heads.safetensors')]
  assert.ok(files.includes(join('noise', 'model.safetensors')))
  // The bias of the last layer starts at 0 and moves in the first step.
  assert.ok(model.get('layer1.bias')?.bytes.every((byte) => byte === 0))
  assert.ok(heads.get('north/layer1.bias')?.bytes.some((byte) => byte !== 0))
})

test('a model that is one layer, SCAFFOLD, and a training of one have no personal head', async () => {
  for (const [code, args] of [
    ['BAD_USAGE', [...data, '--model', 'logistic', '--personal-head']],
    ['BAD_FEDERATION', [...settings, '--method', 'scaffold']],
    ['BAD_USAGE', ['--csv', 'table.csv', '--target', 'answer', '--personal-head']],
  ] as const) {
    const seen = run(...args, '--out', 'bad').then(() => 'no error')
    await assert.rejects(seen, { code }, args.join(' '))
  }
})
