import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { encodeApiKey, PotluckError } from '@potluck/protocol'
import { keyAt } from '../network/keyFile.ts'
import { layoutOf } from '../network/layout.ts'
import { formatAmount, parseAmount } from './amounts.ts'
import { address, hash, namedNumber, webAddress, wholeNumber } from './argumentParsers.ts'
import { datasetOf } from './asset.ts'
import { checkCall, readApiKey } from './call.ts'
import { checkKeyFile, keyTrouble } from './checkKeyFile.ts'
import { findingLines } from './doctor.ts'
import { keyAddress, newKeyFile } from './keys.ts'
import { keyFindings, portFinding } from './localFindings.ts'
import { networkAt, readPlan, tokenOf } from './networkAt.ts'
import { chainClockFinding, clockFinding } from './networkFindings.ts'
import { oneRow, parsePredictionRows } from './predictionRows.ts'
import { printed } from './printed.ts'
import { parsePurposes } from './purposes.ts'
import { testDeployment } from './testDeployment.ts'
import { subjectOf } from './why.ts'
import { withAdvice } from './withAdvice.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-cli-'))
after(() => rmSync(dir, { recursive: true }))
let files = 0
const written = (text: string): string => {
  const file = join(dir, `file-${files++}`)
  writeFileSync(file, text)
  return file
}

/** Throws with this code, and every part stands in the message. */
const refusal =
  (code: string, ...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError, String(thrown))
    assert.equal(thrown.code, code)
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

test('an amount counts tokens unless it says units, and is never rounded', () => {
  assert.equal(parseAmount('1.5', 6), 1_500_000n)
  assert.equal(parseAmount('2', 6), 2_000_000n)
  assert.equal(parseAmount('1500000u', 6), 1_500_000n)
  assert.equal(parseAmount('0.000001', 6), 1n)
  for (const bad of ['', '-1', '1e3', ' 1', '1,5', '.5', '1.', '0x10', '1.5u', 'NaN']) {
    assert.throws(() => parseAmount(bad, 6), refusal('BAD_AMOUNT', `"${bad}"`), bad)
  }
  assert.throws(() => parseAmount('0.0000001', 6), refusal('BAD_AMOUNT', '6 decimals', '7'))
  for (const units of [0n, 1n, 1_500_000n, -2_000_001n])
    assert.equal(parseAmount(formatAmount(units < 0n ? -units : units, 6), 6), units < 0n ? -units : units)
  assert.equal(formatAmount(-2_000_001n, 6), '-2.000001')
})

test('an argument that is no number, address, hash, URL or pair is refused with the value seen', () => {
  for (const [read, bad] of [
    [wholeNumber(1, 10), '0'],
    [wholeNumber(1, 10), '11'],
    [wholeNumber(1), '1.0'],
    [wholeNumber(1), ''],
    [address, '0x12'],
    [hash, `0x${'0'.repeat(40)}`],
    [webAddress, 'localhost:80'],
    [webAddress, 'http://a b'],
    [namedNumber, 'age'],
    [namedNumber, 'age=old'],
    [namedNumber, 'age='],
  ] as const) {
    assert.throws(
      () => read(bad),
      (thrown: Error) => thrown.message.includes(JSON.stringify(bad)),
      bad,
    )
  }
  assert.throws(() => namedNumber('age=2', { age: 1 }), /age is given twice/)
  assert.deepEqual(namedNumber('oldpeak=2.3', namedNumber('age=63')), { age: 63, oldpeak: 2.3 })
  assert.equal(webAddress('http://127.0.0.1:4180/v1/'), 'http://127.0.0.1:4180/v1')
})

test("a key file is made private, never overwritten, and its secret is in nobody's answer", () => {
  const file = join(dir, 'new.key')
  const made = newKeyFile(file)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.throws(() => newKeyFile(file), refusal('KEY_EXISTS', file))
  assert.deepEqual((keyAddress(file).value as { address: string }).address, (made.value as { address: string }).address)
  const secret = Buffer.from(keyAt(file)).toString('hex')
  assert.ok(!JSON.stringify([made, keyAddress(file)]).includes(secret))
})

test('a key file that is missing, broken or open to others is refused with the way out', () => {
  const missing = join(dir, 'no.key')
  assert.throws(() => checkKeyFile(missing), refusal('KEY_MISSING', missing, 'potluck keys new'))
  assert.throws(() => checkKeyFile(written('0x1234')), refusal('BAD_KEY', '6 characters'))
  const open = join(dir, 'open.key')
  newKeyFile(open)
  chmodSync(open, 0o644)
  assert.throws(() => checkKeyFile(open), refusal('KEY_EXPOSED', '644', `chmod 600 ${open}`))
  chmodSync(open, 0o600)
  assert.equal(keyTrouble(open, `0x${'1'.repeat(40)}`)?.code, 'KEY_DIFFERS')
  assert.throws(() => newKeyFile(join(open, 'below.key')), refusal('CANNOT_WRITE', 'below.key'))
})

test('doctor finds a missing and an exposed key of a participant, each with its remedy', () => {
  const layout = layoutOf(join(dir, 'network'))
  const one = { name: 'alice', roles: 1, node: '0x', key: '0x', httpPort: 0, p2pPort: 0, servicePort: 0 } as const
  const [node, cold] = keyFindings(layout, [one])
  assert.ok(node && !node.ok && node.seen.includes('no key file'))
  assert.ok(cold && !cold.ok && cold.remedy.length > 0)
  assert.ok(findingLines([node]).some((line) => line.includes('FAIL')))
})

test('doctor tells a port that a stranger holds from one held by its owner and a free one', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  const asked = (isOurs: boolean) => ({ subject: 'alice, http', port, isOurs: async () => isOurs })
  const stranger = await portFinding(asked(false), true)
  assert.ok(!stranger.ok && stranger.seen.includes(`port ${port} is taken`) && stranger.remedy.includes('stop it'))
  assert.ok((await portFinding(asked(true), true)).ok)
  await new Promise((resolve) => server.close(resolve))
  assert.ok((await portFinding(asked(false), false)).ok)
  assert.ok(!(await portFinding(asked(false), true)).ok)
})

test('doctor fails a clock half a minute off, in either direction', async () => {
  assert.ok(clockFinding('a peer', 30).ok && clockFinding('a peer', -30).ok)
  assert.ok(!clockFinding('a peer', 31).ok && !clockFinding('a peer', -31).ok)
  const behind = await chainClockFinding({ now: async () => 1_000n }, 1_040_000)
  assert.ok(!behind.ok && behind.seen.includes('40 s behind'))
})

test('a folder without a network, a broken plan and a broken deployment each say the file and what to do', () => {
  const empty = mkdtempSync(join(dir, 'empty-'))
  assert.throws(() => networkAt({ dir: empty }), refusal('NO_NETWORK', empty, 'potluck up'))
  const layout = layoutOf(empty)
  writeFileSync(layout.plan, '{"chainPort": "8545", "participants": []}')
  assert.throws(() => readPlan(layout), refusal('BAD_PLAN', layout.plan, 'chainPort'))
  writeFileSync(layout.plan, '{')
  assert.throws(() => readPlan(layout), refusal('BAD_PLAN', layout.plan))
  const file = written('{"name": "x"}')
  assert.throws(
    () => networkAt({ dir: join(dir, 'none'), rpc: 'http://127.0.0.1:1', deployment: file }),
    refusal('BAD_DEPLOYMENT', file, 'chainId'),
  )
})

test('an unknown token, purpose, participant or subject is refused with those there are', () => {
  assert.throws(() => tokenOf(testDeployment, 'EUR'), refusal('UNKNOWN_TOKEN', '"EUR"', 'USDP, SALT'))
  assert.equal(tokenOf(testDeployment).symbol, 'USDP')
  assert.equal(tokenOf(testDeployment, 'salt').decimals, 18)
  assert.throws(() => parsePurposes('train,sell'), refusal('BAD_PURPOSE', '"sell"', 'SERVE'))
  assert.equal(parsePurposes('all'), 31)
  assert.equal(parsePurposes('Train, serve'), 9)
  const node = `0x${'ab'.repeat(20)}` as const
  const network = {
    participants: [{ name: 'worker-1', roles: 1, node, key: node, httpPort: 1, p2pPort: 2, servicePort: 0 }],
  }
  assert.equal(subjectOf('worker-1', network), node)
  assert.equal(subjectOf('job/2/1/worker-1', network), `job/2/1/${node}`)
  assert.equal(subjectOf('potluck/7', network), 'version/7')
  for (const bad of ['worker-9', 'job/0', 'job/2/0', '0x12', 'version/', 'job/1/2/3/4', '']) {
    assert.throws(() => subjectOf(bad, network), refusal('BAD_SUBJECT', `"${bad}"`, 'worker-1'), bad)
  }
})

test('a table with missing columns or text in a number is not registered', () => {
  const said = { licence: 'CC BY 4.0', description: '', source: '' }
  const row = '63,1,1,145,233,1,2,150,0,2.3,3,0,6,0'
  const short = written(`${row}\n63,1,1\n`)
  assert.throws(() => datasetOf({ ...said, table: short }), refusal('MISSING_COLUMNS', short, 'line 2', 'got 3'))
  const text = written(`${row.replace('145', 'high')}\n`)
  assert.throws(() => datasetOf({ ...said, table: text }), refusal('BAD_NUMBER', text, 'trestbps', '"high"'))
  assert.equal(datasetOf({ ...said, table: written(`${row}\n`) }).metadata.size, 1)
})

test('an asset without a licence, a file or readable text is refused', () => {
  const said = { description: '', source: '' }
  const file = written('some text')
  assert.throws(() => datasetOf({ ...said, file }), refusal('BAD_INPUT', 'licence'))
  assert.throws(() => datasetOf({ ...said, licence: 'free' }), refusal('BAD_INPUT', '--file'))
  assert.throws(() => datasetOf({ ...said, licence: 'free', file, table: file }), refusal('BAD_INPUT', 'not both'))
  assert.throws(() => datasetOf({ ...said, licence: 'free', file: join(dir, 'none') }), refusal('FILE_MISSING', 'none'))
  assert.throws(() => datasetOf({ ...said, licence: 'free', file: written('') }), refusal('BAD_INPUT', 'size'))
  const binary = join(dir, 'binary')
  writeFileSync(binary, Uint8Array.of(0xff, 0xfe, 0x00))
  assert.throws(() => datasetOf({ ...said, licence: 'free', file: binary }), refusal('BAD_TEXT', binary))
})

test('rows to predict with missing columns or text in a number name the place', () => {
  const wanted = ['age', 'sex']
  const rows = parsePredictionRows('sex,age,x\n1,63,a\n0,41.5,b\n', wanted, 'rows.csv')
  assert.deepEqual(
    [...rows],
    [
      ['age', [63, 41.5]],
      ['sex', [1, 0]],
    ],
  )
  assert.throws(
    () => parsePredictionRows('age\n63\n', wanted, 'rows.csv'),
    refusal('MISSING_COLUMNS', 'rows.csv', 'sex', '"age"'),
  )
  assert.throws(
    () => parsePredictionRows('age,sex\n63,male\n', wanted, 'rows.csv'),
    refusal('BAD_NUMBER', 'line 2', 'sex', '"male"'),
  )
  assert.throws(
    () => parsePredictionRows('age,sex\n63\n', wanted, 'rows.csv'),
    refusal('BAD_NUMBER', 'line 2', 'sex', '""'),
  )
  assert.throws(() => parsePredictionRows('age,sex', wanted, 'rows.csv'), refusal('NO_ROWS', 'rows.csv'))
  assert.throws(() => oneRow({ age: 1 }, wanted), refusal('MISSING_INPUTS', '--input sex='))
  assert.throws(() => oneRow({ age: 1, sex: 1, weight: 80 }, wanted), refusal('UNKNOWN_INPUTS', 'weight', 'age, sex'))
})

test('a call says one thing and how it is paid', () => {
  for (const options of [
    {},
    { prompt: 'hi' },
    { prompt: 'hi', key: 'a', wallet: 'b' },
    { prompt: 'hi', input: { age: 1 }, key: 'a' },
    { input: { age: 1 }, rows: 'r.csv', key: 'a' },
    { prompt: '', key: 'a' },
  ]) {
    const wantsRows = 'input' in options || 'rows' in options
    assert.throws(() => checkCall(options, wantsRows), refusal('BAD_USAGE'), JSON.stringify(options))
  }
  checkCall({ prompt: 'hi', key: 'a' }, false)
  checkCall({ rows: 'r.csv', wallet: 'b' }, true)
})

test('an API key that is missing or cut short is refused without being repeated', () => {
  const key = encodeApiKey({ channelId: `0x${'11'.repeat(32)}`, lane: 1, secret: new Uint8Array(32).fill(7) })
  assert.equal(readApiKey(written(`${key}\n`)), key)
  assert.throws(() => readApiKey(join(dir, 'none.key')), refusal('KEY_MISSING', 'wallet api-key'))
  assert.throws(
    () => readApiKey(written(key.slice(0, -3))),
    (thrown) => refusal('BAD_API_KEY')(thrown) && !(thrown as Error).message.includes(key.slice(4, 40)),
  )
})

test('a licence that was not granted says what is missing, in words', () => {
  const facts = {
    contract: 'jobs',
    function: 'create',
    error: 'LicenceNotGranted',
    args: 'version: 3, asked: 29, granted: 3',
  }
  const said = withAdvice(
    new PotluckError(
      'REVERTED',
      'jobs.create was refused: LicenceNotGranted(version: 3, asked: 29, granted: 3)',
      facts,
    ),
  )
  refusal(
    'REVERTED',
    'version 3',
    'grants TRAIN, EVALUATE',
    'does not grant DERIVE, SERVE, COMMERCIAL',
    'LicenceNotGranted',
  )(said)
  assert.deepEqual(said.facts, facts)
  const other = new PotluckError('REVERTED', 'as it was', { error: 'SomethingNew' })
  assert.equal(withAdvice(other), other)
})

test('an error is CODE: message for people and one JSON value for programs, and nothing is on standard output', async () => {
  const out: string[] = []
  const err: string[] = []
  const output = { stdout: (text: string) => void out.push(text), stderr: (text: string) => void err.push(text) }
  const fail = (): never => {
    throw new PotluckError('NO_NETWORK', 'none here', { units: 5n })
  }
  assert.equal(await printed({}, fail, output), 1)
  assert.equal(await printed({ json: true }, fail, output), 1)
  assert.deepEqual(out, [])
  assert.equal(err[0], 'NO_NETWORK: none here\n')
  assert.deepEqual(JSON.parse(err[1] ?? ''), {
    error: { code: 'NO_NETWORK', message: 'none here', facts: { units: '5' } },
  })
  assert.equal(await printed({ json: true }, () => ({ value: { units: 5n }, lines: ['five'] }), output), 0)
  assert.equal(await printed({}, () => ({ value: {}, lines: ['five'], failed: true }), output), 1)
  assert.deepEqual(out, ['{"units":"5"}\n', 'five\n'])
})
