import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseResistance, type StoredResistance } from '../federated/attack/resistanceFile.ts'
import { attack } from './attack.ts'
import { attackCommand, attackOptions } from './attackCommand.ts'
import { printed } from './printed.ts'
import { runTrain } from './testTraining.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-attack-'))
after(() => rmSync(dir, { recursive: true }))

/** Three hundred rows whose class is the sign of a sum; the numbers of a full cycle, so no luck is in it. */
const table = join(dir, 'rows.csv')
const rows = Array.from({ length: 300 }, (_, i) => {
  const [a, b] = [((i * 97) % 300) / 150 - 1, ((i * 131) % 300) / 150 - 1]
  return `${a},${b},${a + b > 0 ? 'yes' : 'no'}`
})
writeFileSync(table, `a,b,answer\n${rows.join('\n')}\n`)
const onTable = ['--csv', table, '--target', 'answer', '--clients', '5', '--rounds', '3', '--local-steps', '5']

async function run(...args: string[]): Promise<{ code: 0 | 1; stdout: string; stderr: string }> {
  const command = attackCommand().exitOverride()
  const { operands } = command.parseOptions(['--threads', '1', '--executor', 'wasm', ...args])
  const options = attackOptions(command, operands[0])
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const live = { isTty: false, write: (text: string) => void (options.json || stderr.push(text)) }
  const code = await printed(options, () => attack(options, live), {
    stdout: (text) => void stdout.push(text),
    stderr: (text) => void stderr.push(text),
  })
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

test('trains once for each attack, shows what was left, and writes a record that holds', async () => {
  const out = join(dir, 'record.json')
  const { code, stdout, stderr } = await run(...onTable, '--attacks', 'sign-flip,backdoor', '--out', out)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /2 of 5 lie +right +of clean/)
  assert.match(stdout, /sign-flip .* %/)
  assert.match(stdout, /poisoning resistance [01]\.\d{3} of 1, decided by/)
  assert.match(stderr, /backdoor: \d+\.\d\d % right/)
  const { clients, liars, rounds, unattacked, zeroed, warning } = parseResistance(readFileSync(out, 'utf8'), out)
  assert.deepEqual([clients, liars, rounds, warning], [5, 2, 3, null])
  assert.deepEqual(Object.keys(zeroed), ['none', 'sign-flip', 'backdoor'])
  assert.equal(unattacked.accuracies.length, 1)
})

test('finds that a mean falls to a sign flip and the reference rule does not, the same every time', async () => {
  const report = async (rule: string): Promise<StoredResistance> => {
    const { code, stdout, stderr } = await run(
      '--json',
      ...onTable,
      '--rule',
      rule,
      '--attacks',
      'sign-flip',
      '--repeats',
      '2',
    )
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as StoredResistance
  }
  const [mean, reference] = [await report('mean'), await report('reference')]
  assert.deepEqual(reference.seeds, [1, 2])
  assert.ok(reference.score > mean.score + 0.2, `${reference.score} ${mean.score}`)
  assert.deepEqual(await report('reference'), reference)
})

test('warns of a rule that is known to fail with so many liars, and tries it all the same', async () => {
  const { code, stdout } = await run(...onTable, '--rule', 'geometric', '--attackers', '0.6', '--attacks', 'copy')
  assert.equal(code, 0)
  assert.match(stdout, /warning: geometricMedian would fail here: 3 attackers of 5 members outvote the rest/)
})

test('refuses an unknown attack, a share that leaves nobody, and numbers to predict', async () => {
  const refused = async (words: RegExp, ...args: string[]): Promise<void> => {
    const { code, stderr } = await run(...args)
    assert.equal(code, 1)
    assert.match(stderr, words)
  }
  await refused(/BAD_ATTACK: no attack is called "teapot"/, ...onTable, '--attacks', 'teapot')
  await refused(/BAD_USAGE: --attackers 0.1 of 5 clients are 0/, ...onTable, '--attackers', '0.1')
  const numbers = ['--csv', table, '--target', 'b', '--ignore', 'answer', '--task', 'regression', '--clients', '5']
  await refused(/BAD_USAGE: the score compares shares of right answers/, ...numbers, '--attacks', 'sign-flip')
})

const federation = ['--clients', '5', '--rounds', '3', '--local-steps', '5', '--rule', 'median', '--batch', '7']
const trainedIn = async (folder: string, ...more: string[]): Promise<string> => {
  const out = join(dir, folder)
  const data = ['--csv', table, '--target', 'answer', '--threads', '1']
  const { code, stdout, stderr } = await runTrain(...data, ...federation, '--out', out, ...more)
  assert.equal(code, 0, stderr)
  return stdout
}
const refusedWith = async (words: RegExp, ...args: string[]): Promise<void> => {
  const { code, stderr } = await run(...args)
  assert.equal(code, 1)
  assert.match(stderr, words)
}

test('a folder of a run is attacked with its own data and setting, and keeps the record and shows it in its report', async () => {
  const folder = join(dir, 'trained')
  assert.match(await trainedIn('trained'), /poisoning resistance: not measured; `potluck attack .*trained` measures it/)
  const page = (): string => readFileSync(join(folder, 'report.html'), 'utf8')
  assert.match(page(), /Not measured/)
  const { code, stdout, stderr } = await run(folder, '--attacks', 'sign-flip')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /wrote .*resistance\.json\nwrote .*report\.html/)
  const kept = parseResistance(readFileSync(join(folder, 'resistance.json'), 'utf8'), 'resistance.json')
  assert.deepEqual([kept.rule, kept.clients, kept.rounds], ['{"kind":"median"}', 5, 3])
  // Nothing was named that the run does not name itself: the same record as with everything on the command line.
  const data = ['--csv', table, '--target', 'answer']
  const named = await run('--json', ...data, ...federation, '--attacks', 'sign-flip')
  assert.deepEqual(JSON.parse(named.stdout), kept)
  assert.match(page(), /decided by sign-flip/)
  assert.ok(!page().includes('Not measured'))
  assert.match(await trainedIn('trained', '--resume'), /poisoning resistance: [01]\.\d{3} of 1 with 40\.0 % lying/)
  // Another setting in the same folder: the record is not of it.
  const other = await trainedIn('trained', '--overwrite', '--rounds', '4')
  assert.match(
    other,
    /poisoning resistance: not measured; `potluck attack .*` measures it; .*resistance\.json is of another setting/,
  )
})

test('a run that no attack can be tried on says so, and is refused', async () => {
  const free = ['--rule', 'mean', '--buffered', '2']
  assert.match(await trainedIn('free', ...free), /poisoning resistance: not measured; without rounds \(--buffered\)/)
  await refusedWith(
    /BAD_USAGE: without rounds \(--buffered\) there is nothing that liars could answer to/,
    join(dir, 'free'),
  )
})

test('an option goes before what the run recorded, and such a record does not stand beside the model', async () => {
  await trainedIn('changed')
  const out = join(dir, 'changed.json')
  const args = [join(dir, 'changed'), '--rule', 'mean', '--rounds', '2', '--attacks', 'copy', '--out', out]
  const { code, stdout, stderr } = await run(...args)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /not kept in .*changed: --rule, --rounds make it another setting/)
  assert.ok(!existsSync(join(dir, 'changed', 'resistance.json')))
  const { rule, rounds, clients } = parseResistance(readFileSync(out, 'utf8'), out)
  assert.deepEqual([rule, rounds, clients], ['{"kind":"mean"}', 2, 5])
})

test('a folder that is none, one of a single participant, and data that is gone are refused with what to do', async () => {
  await refusedWith(/FILE_MISSING: there is no file or folder nowhere: name a folder that/, 'nowhere')
  await refusedWith(/FILE_MISSING: .*a job of a network is attacked by its job file/, '7')
  const empty = join(dir, 'empty')
  mkdirSync(empty)
  await refusedWith(/NO_RUN: .*empty is no folder that `potluck train --clients N` wrote/, empty)
  writeFileSync(join(empty, 'config.json'), '{}')
  await refusedWith(/NO_RUN: .*one participant trained alone/, empty)
  mkdirSync(join(empty, 'tensorboard'))
  await refusedWith(/NO_RUN: .*no run\.json says of which data and settings/, empty)
  writeFileSync(join(empty, 'run.json'), '{"version":1,"rounds":0}')
  await refusedWith(/BAD_RUN: .*run\.json: .*put the file back/, empty)
  await trainedIn('moved')
  const before = readFileSync(table, 'utf8')
  writeFileSync(table, before.replace('yes', 'no'))
  await refusedWith(/DATA_CHANGED: the files that .*moved was trained on are not the same any more/, join(dir, 'moved'))
  await refusedWith(/DATA_CHANGED/, join(dir, 'moved'), '--seed', '7')
  writeFileSync(table, before)
  const other = join(dir, 'elsewhere.csv')
  renameSync(table, other)
  try {
    await refusedWith(
      /FILE_MISSING: .*run\.json was trained with --csv .*rows\.csv, which is not there now/,
      join(dir, 'moved'),
    )
    const { code, stderr } = await run(join(dir, 'moved'), '--csv', other, '--attacks', 'copy')
    assert.equal(code, 0, stderr)
  } finally {
    renameSync(other, table)
  }
})

const verse = 'Bring a dish, take a plate. What is shared is kept.\n'.repeat(12)
const job = `
kind: language
name: Verses
payPerRound: 5
valid: valid.txt
shares: 5
rounds: 3
network: { context: 8, width: 16, layers: 1, heads: 2, hidden: 16 }
training: { batch: 4, steps: 6, learningRate: 0.02, encoding: dense8 }
data:
  - { version: 7, sharePpm: 100000 }
`
const jobFile = join(dir, 'job.yaml')
const verses = join(dir, 'verses.txt')
writeFileSync(jobFile, job)
writeFileSync(verses, verse)
writeFileSync(join(dir, 'valid.txt'), verse.slice(40, 300))

test('a job file is attacked with the network its own programs: its shares are the members, its rule and encoding stand', async () => {
  const attacked = (...more: string[]) =>
    run('--json', jobFile, '--text', verses, '--attacks', 'sign-flip,label-flip', ...more)
  const { code, stdout, stderr } = await attacked()
  assert.equal(code, 0, stderr)
  const report = JSON.parse(stdout) as StoredResistance
  assert.deepEqual([report.clients, report.liars, report.rounds], [5, 2, 3])
  assert.deepEqual([report.rule, report.compression], ['{"kind":"reference"}', '{"kind":"dense","bits":8}'])
  assert.equal(report.clean.backdoorSuccess, undefined)
  assert.ok(report.clean.accuracies[0]! > 0.15, JSON.stringify(report.clean))
  assert.ok(report.score > 0.5, stdout)
  assert.equal((await attacked()).stdout, stdout)
  const fewer = await attacked('--clients', '4', '--attackers', '0.25', '--rounds', '1', '--compress', 'none')
  const other = JSON.parse(fewer.stdout) as StoredResistance
  assert.deepEqual([other.clients, other.liars, other.rounds, other.compression], [4, 1, 1, '{"kind":"f32"}'])
})

test('a job without its text, under masks, or with an option that it fixes is refused with the reason', async () => {
  await refusedWith(/BAD_USAGE: .*job\.yaml trains on version 7 of a network.*--text FILE/, jobFile)
  await refusedWith(/FILE_MISSING: cannot read .*gone\.txt/, jobFile, '--text', join(dir, 'gone.txt'))
  await refusedWith(/BAD_USAGE: --rule does not go with a job file/, jobFile, '--text', verses, '--rule', 'mean')
  await refusedWith(
    /BAD_SETTING: --compress topk:4: the updates of a job travel as/,
    jobFile,
    '--text',
    verses,
    '--compress',
    'topk:4',
  )
  const masked = join(dir, 'masked.yaml')
  const data = [1, 2, 3].map((version) => `  - { version: ${version}, sharePpm: 1000 }\n`).join('')
  writeFileSync(masked, `kind: tabular\nname: Hospitals\npayPerRound: 1\ndata:\n${data}`)
  await refusedWith(/NO_SINGLE_UPDATES: .*summed under masks, nobody sees a single one.*potluck train --csv/, masked)
  const valid = join(dir, 'other.yaml')
  writeFileSync(valid, job.replace('valid.txt', 'absent.txt'))
  await refusedWith(/FILE_MISSING: cannot read .*absent\.txt/, valid, '--text', verses)
})
