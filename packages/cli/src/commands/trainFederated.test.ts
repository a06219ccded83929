import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FederatedReport } from '../federated/finishFederated.ts'
import { readRounds } from '../federated/RoundLog.ts'
import { idxBytes } from '../training/images/testIdx.ts'
import { inTestFolder, runTrain } from './testTraining.ts'

const { dir } = inTestFolder('potluck-federated-')

const run = (...args: string[]): ReturnType<typeof runTrain> => runTrain('--threads', '1', ...args)

async function report(...args: string[]): Promise<FederatedReport> {
  const { code, stdout, stderr } = await run('--json', ...args)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as FederatedReport
}

async function refusal(...args: string[]): Promise<{ code: string; message: string }> {
  const { code, stdout, stderr } = await run('--json', '--out', 'bad', ...args)
  assert.equal(code, 1, stdout)
  assert.equal(stdout, '')
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error
}

const read = (folder: string, name: string): Buffer => readFileSync(join(dir, folder, name))

/** Rows whose class follows from two of their columns, from three sites of different sizes. */
const rows = Array.from({ length: 150 }, (_, i) => {
  const x = (i * 37) % 100
  const z = (i * 53) % 80
  return `${x},${z},${['north', 'south', 'south', 'east', 'east', 'east'][i % 6]},${x + z > 90 ? 'yes' : 'no'}`
})
writeFileSync(join(dir, 'table.csv'), `x,z,site,answer\n${rows.join('\n')}\n`)
writeFileSync(
  join(dir, 'one.csv'),
  `x,z,answer\n${rows.map((row) => `${row.split(',').slice(0, 2).join(',')},yes`).join('\n')}\n`,
)
writeFileSync(join(dir, 'verse.txt'), 'Bring a dish, take a plate.\nWhat is shared is kept.\n'.repeat(30))
writeFileSync(join(dir, 'llama.json'), '{"kind":"llama","context":12,"width":8,"layers":1,"heads":2,"hidden":12}')

const table = ['--csv', 'table.csv', '--target', 'answer', '--clients', '4', '--rounds', '6', '--local-steps', '5']

test('clients train a model that knows rows nobody saw, and leave log, events, report and files', async () => {
  const seen = await report(...table, '--rounds', '20', '--test', 'table.csv', '--ignore', 'site', '--out', 'plain')
  assert.deepEqual([seen.clients, seen.rounds, seen.localSteps, seen.steps], [4, 20, 5, 100])
  assert.ok((seen.test?.accuracy ?? 0) > 0.85, JSON.stringify(seen.test))
  assert.ok(seen.bytes.up > 0 && seen.bytes.down > 0)
  assert.equal(seen.bytes.synchronousUp, 4 * seen.params * 5 * 20 * 4)
  assert.ok(Math.abs(seen.contribution.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-6)
  assert.deepEqual(readdirSync(join(dir, 'plain')).sort(), [
    'checkpoint.safetensors',
    'config.json',
    'log.jsonl',
    'model.onnx',
    'model.safetensors',
    'report.html',
    'run.json',
    'tensorboard',
  ])
  const rounds = readRounds(read('plain', 'log.jsonl').toString(), 99)
  assert.deepEqual(
    rounds.map(({ round }) => round),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  assert.equal(
    rounds.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
    seen.bytes.up,
  )
  assert.match(read('plain', 'report.html').toString(), /<h2>Who contributed<\/h2>/)
})

test('a run that was stopped goes on to the same bits, with everything that carries state', async () => {
  const settings = [...table, '--compress', 'topk:3:8', '--outer', 'adam', '--method', 'scaffold', '--per-round', '3']
  const whole = await report(...settings, '--out', 'whole')
  const stopped = await run(...settings, '--out', 'parts', '--stop-after', '4')
  assert.equal(stopped.code, 0, stopped.stderr)
  assert.match(stopped.stdout, /stopped after round 4 of 6.*--resume/)
  assert.equal((await refusal(...settings, '--out', 'parts')).code, 'RUN_EXISTS')
  const resumed = await report(...settings, '--out', 'parts', '--resume')
  assert.equal(resumed.stateHash, whole.stateHash)
  assert.deepEqual([resumed.valid, resumed.bytes, resumed.contribution], [whole.valid, whole.bytes, whole.contribution])
  for (const name of ['model.safetensors', 'checkpoint.safetensors', 'model.onnx']) {
    assert.deepEqual(read('parts', name), read('whole', name), name)
  }
  assert.equal(readRounds(read('parts', 'log.jsonl').toString(), 99).length, 6)
  const shorter = await refusal(...settings, '--rounds', '5', '--out', 'parts', '--resume')
  assert.deepEqual([shorter.code, shorter.message.includes('round 6')], ['BAD_CHECKPOINT', true])
  const longer = await report(...settings, '--rounds', '8', '--out', 'parts', '--resume')
  assert.equal(longer.stateHash, (await report(...settings, '--rounds', '8', '--out', 'longer')).stateHash)
  const other = await run('--json', ...settings, '--rule', 'mean', '--out', 'parts', '--resume')
  assert.deepEqual([other.code, /BAD_CHECKPOINT.*federation/.test(other.stderr)], [1, true])
})

test('a column names the clients and is no input of the model', async () => {
  const seen = await report(...table.slice(0, 4), '--partition', 'by-column:site', '--rounds', '2', '--out', 'sites')
  assert.deepEqual(
    seen.contribution.map(({ client }) => client),
    ['east', 'north', 'south'],
  )
  assert.ok(seen.contribution[0]!.size > seen.contribution[1]!.size)
  assert.equal(seen.params, 2 * 2 + 2)
  const config = JSON.parse(read('sites', 'config.json').toString()) as {
    input: { columns: { name: string; kind: string }[] }
  }
  assert.equal(config.input.columns.find(({ name }) => name === 'site')?.kind, 'ignored')
})

test('every executor and number of threads gives the same state', async () => {
  const of = async (...how: string[]) =>
    (await report(...table, '--rounds', '2', '--partition', 'dirichlet:0.5', '--overwrite', '--out', 'each', ...how))
      .stateHash
  const native = await of('--executor', 'auto')
  assert.equal(await of('--executor', 'wasm', '--threads', '2'), native)
  assert.equal(await of('--executor', 'reference'), native)
})

test('liars are named in the report, and a rule with a reference gives them next to no weight', async () => {
  const settings = [
    ...table,
    '--attackers',
    '0.3:sign-flip',
    '--rule',
    'reference',
    '--reference',
    '30',
    '--ignore',
    'site',
  ]
  const seen = await report(...settings, '--out', 'liars')
  assert.deepEqual(seen.attack, { name: 'sign-flip', count: 1 })
  const liar = seen.contribution.find(({ isAttacker }) => isAttacker)
  assert.ok(liar && liar.weight < 0.01, `weight ${liar?.weight}`)
  assert.equal(
    seen.contribution.reduce((sum, { size }) => sum + size, 0),
    120 - 30,
  )
  assert.match(read('liars', 'report.html').toString(), /1 of 4 clients lie \(sign-flip\)/)
})

test('a backdoor is told with its own success on rows nobody trained on, beside what fails without the trigger', async () => {
  // Three columns say nothing and are never large together: that is the trigger.
  const idle = rows.map((_, i) => [17, 29, 43].map((step) => (((i * step) % 10) - 5) / 10).join(','))
  const lines = rows.map((row, i) => `${row.split(',').slice(0, 2).join(',')},${idle[i]},${row.split(',')[3]}`)
  writeFileSync(join(dir, 'idle.csv'), `x,z,p,q,r,answer\n${lines.join('\n')}\n`)
  const settings = ['--csv', 'idle.csv', '--target', 'answer', '--clients', '4', '--rounds', '30', '--local-steps', '5']
  const seen = await report(...settings, '--attackers', '0.5:backdoor:1.5', '--out', 'backdoor')
  const { backdoor } = seen.attack ?? {}
  assert.ok(backdoor, JSON.stringify(seen.attack))
  assert.equal(backdoor.target, 'no')
  assert.ok(backdoor.rows > 0 && backdoor.rows < 30)
  assert.ok(backdoor.success > backdoor.untriggered + 0.2, JSON.stringify(backdoor))
  assert.match(read('backdoor', 'report.html').toString(), /the backdoor works on \d+\.\d % of \d+ triggered rows/)
  assert.deepEqual(seen.resistance, { record: null, how: '`potluck attack backdoor` measures it' })
})

test('masked sums of groups with noise spend privacy that grows with every round and is told in words', async () => {
  const settings = [
    ...table,
    '--ignore',
    'site',
    '--masks',
    '4',
    '--noise',
    '0.5/2',
    '--delta',
    '1e-3',
    '--rule',
    'mean',
  ]
  const seen = await report(...settings, '--out', 'hidden')
  assert.ok(seen.privacy && seen.privacy.epsilon > 1 && seen.privacy.epsilon < 20, JSON.stringify(seen.privacy))
  assert.equal(seen.privacy.delta, 1e-3)
  assert.ok(seen.privacy.words.length > 0)
  const spent = readRounds(read('hidden', 'log.jsonl').toString(), 99).map(({ epsilon }) => epsilon ?? 0)
  assert.ok(spent.every((epsilon, i) => i === 0 || epsilon > spent[i - 1]!))
  assert.equal(spent.at(-1), seen.privacy.epsilon)
  assert.ok(seen.contribution.every(({ score }) => score === null))
  assert.match(read('hidden', 'report.html').toString(), /<h2>Privacy spent<\/h2>/)
  const poor = await refusal(...settings, '--epsilon', '0.5')
  assert.deepEqual([poor.code, poor.message.includes('--rounds')], ['OVER_BUDGET', true])
})

test('scores tell who took how much off the loss', async () => {
  const seen = await report(
    ...table,
    '--rounds',
    '10',
    '--ignore',
    'site',
    '--attackers',
    '0.3:label-flip',
    '--out',
    'scores',
  )
  const liar = seen.contribution.find(({ isAttacker }) => isAttacker)
  const honest = seen.contribution.filter(({ isAttacker }) => !isAttacker)
  assert.ok(honest.every(({ score }) => (score ?? 0) > (liar?.score ?? 0)))
  assert.ok(Math.abs(seen.contribution.reduce((sum, { share }) => sum + (share ?? 0), 0) - 1) < 1e-9)
  assert.match(read('scores', 'report.html').toString(), /<h2>What each client gave<\/h2>/)
})

test('a run without rounds is stopped and gone on with to the same bits, and knows what it cannot have', async () => {
  const settings = [...table, '--buffered', '2:5', '--compress', 'topk:8', '--outer', 'nesterov:0.5@0.7']
  const whole = await report(...settings, '--out', 'flow')
  const stopped = await run(...settings, '--out', 'flow-parts', '--stop-after', '3')
  assert.equal(stopped.code, 0, stopped.stderr)
  assert.equal((await report(...settings, '--out', 'flow-parts', '--resume')).stateHash, whole.stateHash)
  for (const [pattern, args] of [
    [/4 or 4:10; got "0"/, ['--buffered', '0']],
    [/rule has no meaning without rounds/, ['--buffered', '2', '--rule', 'median']],
    [/everybody at once/, ['--buffered', '2', '--masks', '3']],
  ] as const) {
    assert.match((await refusal(...table, '--out', 'bad', ...args)).message, pattern)
  }
})

test('images and texts are divided too', async () => {
  const picture = (i: number): number[] =>
    Array.from({ length: 64 }, (_, at) => (at >> 5 === (i & 1) ? 220 : (i * 17 + at * 7) % 40))
  writeFileSync(join(dir, 'images'), idxBytes([80, 8, 8], Array.from({ length: 80 }, (_, i) => picture(i)).flat()))
  writeFileSync(
    join(dir, 'labels'),
    idxBytes(
      [80],
      Array.from({ length: 80 }, (_, i) => i % 2),
    ),
  )
  const common = ['--rounds', '2', '--local-steps', '3', '--clients', '2']
  const images = await report(
    '--images',
    'images',
    '--labels',
    'labels',
    '--batch',
    '4',
    ...common,
    '--partition',
    'labels:1',
    '--out',
    'images-out',
  )
  assert.deepEqual([images.kind, images.clients], ['cnn', 2])
  const text = await report('--text', 'verse.txt', '--model', 'llama.json', ...common, '--out', 'text-out')
  assert.equal(text.kind, 'llama')
  assert.ok(text.files.some((file) => file.endsWith('model.gguf')))
  const tuned = await report(
    '--text',
    'verse.txt',
    '--base',
    'text-out',
    '--lora',
    '2',
    ...common,
    '--out',
    'tuned-out',
  )
  assert.ok(tuned.params < text.params)
})

test('bad input is one error that says what was wrong and what to do', async () => {
  const data = ['--csv', 'table.csv', '--target', 'answer']
  for (const [code, args] of [
    ['BAD_USAGE', [...data, '--rounds', '3']],
    ['BAD_USAGE', [...table, '--steps', '3']],
    ['BAD_PARTITION', [...table, '--partition', 'random']],
    ['TOO_MANY_CLIENTS', [...data, '--clients', '500']],
    ['TOO_MANY_LABELS', [...table, '--partition', 'labels:3']],
    ['BAD_USAGE', [...table, '--partition', 'by-column:site']],
    ['UNKNOWN_COLUMN', [...data, '--partition', 'by-column:town']],
    ['BAD_USAGE', ['--text', 'verse.txt', '--clients', '2', '--partition', 'dirichlet:1']],
    ['BAD_USAGE', ['--csv', 'table.csv', '--target', 'x', '--clients', '2', '--partition', 'labels:1']],
    ['BAD_USAGE', ['--text', 'verse.txt', '--partition', 'by-column:site']],
    ['TOO_MANY_CLIENTS', ['--text', 'verse.txt', '--clients', '900']],
    ['BAD_SETTING', [...table, '--rule', 'best']],
    ['BAD_ATTACK', [...table, '--attackers', '0.5:magic']],
    ['BAD_SETTING', [...table, '--attackers', 'sign-flip']],
    ['BAD_USAGE', ['--csv', 'table.csv', '--target', 'x', '--clients', '4', '--attackers', '0.5:label-flip']],
    ['BAD_USAGE', [...table, '--attackers', '0.1:sign-flip']],
    ['BAD_USAGE', [...table, '--method', 'scaffold', '--optimizer', 'adamw']],
    ['BAD_FEDERATION', [...table, '--per-round', '9']],
    ['TOO_FEW_ROWS', [...table, '--reference', '120']],
    ['BAD_USAGE', [...table, '--epsilon', '3']],
    ['BAD_SETTING', [...table, '--noise', '3']],
    ['BAD_GROUP', [...table, '--masks', '9']],
    ['BAD_FEDERATION', [...table, '--masks', '4', '--compress', 'dense8']],
    ['BAD_FEDERATION', [...table, '--noise', '1/1', '--rule', 'weighted']],
  ] as const) {
    const seen = await refusal(...args)
    assert.equal(seen.code, code, `${args.join(' ')}: ${seen.message}`)
  }
  const single = await refusal('--csv', 'one.csv', '--target', 'answer', '--clients', '2', '--partition', 'dirichlet:1')
  assert.ok(['ONE_CLASS', 'BAD_TARGET'].includes(single.code), single.message)
})
