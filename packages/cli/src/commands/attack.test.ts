import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkPoisoningResistance } from '@potluck/learning'
import { type AttackCommandOptions, type AttackReport, attack } from './attack.ts'
import { attackCommand } from './attackCommand.ts'
import { printed } from './printed.ts'

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
  command.parseOptions(['--threads', '1', '--executor', 'wasm', ...args])
  const options = command.opts<AttackCommandOptions>()
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
  const report = JSON.parse(readFileSync(out, 'utf8')) as AttackReport
  const { clients, liars, rounds, unattacked, zeroed, warning, ...record } = report
  checkPoisoningResistance(record)
  assert.deepEqual([clients, liars, rounds, warning], [5, 2, 3, null])
  assert.deepEqual(Object.keys(zeroed), ['none', 'sign-flip', 'backdoor'])
  assert.equal(unattacked.accuracies.length, 1)
})

test('finds that a mean falls to a sign flip and the reference rule does not, the same every time', async () => {
  const report = async (rule: string): Promise<AttackReport> => {
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
    return JSON.parse(stdout) as AttackReport
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
