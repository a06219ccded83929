import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { auditReport, type Hex, jobDocument, payoutDocument } from '@potluck/protocol'
import { EventFile } from '../federated/tensorboard/EventFile.ts'
import type { JobHistory } from './JobHistory.ts'
import { jobEventOf, jobFacts } from './jobFacts.ts'
import { jobReportHtml } from './jobReportHtml.ts'

const hash = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
const node = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(20)}`
const names: Record<string, string> = {
  [node(1)]: 'worker-1',
  [node(2)]: 'worker-2',
  [node(3)]: 'liar <b>',
  [node(9)]: 'validator-1',
}
const nameOf = (address: string): string => names[address] ?? address.slice(0, 10)

const document = jobDocument.parse({
  ...{ type: 'job', kind: 'language', name: 'Verses & "more"', description: '', workSeconds: 30, silenceSeconds: 3 },
  ...{ trainCid: 'bafy', validCid: 'bafy', seed: hash(7), shares: 3, encoding: 'dense4' },
  recipe: {
    config: { vocabulary: 'abc', context: 8, width: 8, layers: 1, heads: 1, hidden: 16 },
    ...{ batch: 4, steps: 10, learningRate: 0.01, weightDecay: 0, warmupSteps: 0, beta1: 0.9, beta2: 0.99 },
    ...{ epsilon: 1e-8, stateEverySteps: 10 },
  },
  audit: { gainPpm: 1, colludingPpm: 0, auditors: 1, saltPriceE18: '1', newClaims: 3 },
})

type ClaimFields = { worker: Hex; share: number; outcome?: string; weightPpm: number; pay?: string; score?: number }
const claim = ({ worker, share, outcome = 'not-drawn', weightPpm, pay = '1000000', score }: ClaimFields) => ({
  ...{ hash: hash(share), worker, share, ratePpm: 250_000, outcome, weightPpm, pay },
  auditor: outcome === 'not-drawn' ? null : node(9),
  ...(score === undefined ? {} : { contribution: { valueMicro: score, countedMicro: score, finding: null } }),
})
const report = (round: number, claims: readonly ClaimFields[]) =>
  auditReport.parse({
    ...{ type: 'audit', job: 4, round, beacon: hash(8), run: [], payout: hash(5) },
    claims: claims.map(claim),
  })
const payout = (round: number, amounts: Record<Hex, string>) =>
  payoutDocument.parse({
    ...{ type: 'payout', job: 4, round },
    leaves: Object.entries(amounts).map(([account, amount]) => ({ account, amount })),
  })

const history: JobHistory = {
  ...{ job: 4, phase: 'done', document, rounds: 3, payPerRound: 3_000_000n, parameters: 1_000 },
  token: { symbol: 'USD', decimals: 6 },
  before: { loss: 1.0986, accuracy: 0.3, n: 100 },
  final: [
    {
      ...{ round: 0, time: 1_700_000_010, stateDigest: hash(1), payoutTotal: 2_000_000n },
      report: report(0, [
        { worker: node(1), share: 0, outcome: 'matches', weightPpm: 600_000, score: 20_000 },
        { worker: node(2), share: 1, weightPpm: 400_000, score: 12_000 },
        { worker: node(3), share: 2, outcome: 'wrong', weightPpm: 0, pay: '0' },
      ]),
      payout: payout(0, { [node(1)]: '1000000', [node(2)]: '1000000' }),
      valid: { loss: 0.9, accuracy: 0.5, n: 100 },
    },
    {
      ...{ round: 1, time: 1_700_000_070, stateDigest: hash(2), payoutTotal: 5_000_000n },
      // One worker has done the share of the expelled one as well.
      report: report(1, [
        { worker: node(1), share: 0, weightPpm: 300_000 },
        { worker: node(2), share: 1, weightPpm: 500_000 },
        { worker: node(1), share: 2, weightPpm: 200_000 },
      ]),
      payout: payout(1, { [node(1)]: '3000000', [node(2)]: '2000000' }),
      valid: { loss: 0.7, accuracy: 0.625, n: 100 },
    },
    {
      ...{ round: 2, time: 1_700_000_130, stateDigest: hash(3), payoutTotal: 8_000_000n },
      ...{ report: null, payout: null, valid: null },
    },
  ],
  handedIn: [
    { worker: node(1), round: 0, share: 0, bytes: 500 },
    { worker: node(2), round: 0, share: 1, bytes: 501 },
    { worker: node(1), round: 1, share: 0, bytes: 500 },
    { worker: node(1), round: 1, share: 2, bytes: 500 },
  ],
  convictions: [{ round: 0, node: node(3), of: 'claim', slashed: 60n * 10n ** 18n, tx: hash(6) }],
  evaluations: [],
}

test('a round has what each worker sent, what became of its claims, and what it earned in it', () => {
  const { rounds, workers } = jobFacts(history, nameOf)
  assert.deepEqual(workers, [
    { id: 'liar <b>', isAttacker: true },
    { id: 'worker-1', isAttacker: false },
    { id: 'worker-2', isAttacker: false },
  ])
  const [first, second, third] = rounds
  assert.deepEqual(first?.bytesUp, { 'worker-1': 500, 'worker-2': 501 })
  assert.deepEqual(first?.pay, { 'worker-1': '1000000', 'worker-2': '1000000' })
  assert.deepEqual(first?.convictions, [{ node: 'liar <b>', of: 'claim', slashedSalt: '60' }])
  assert.deepEqual(first?.claims?.[0], {
    ...{ worker: 'worker-1', share: 0, ratePpm: 250_000, auditor: 'validator-1', outcome: 'matches' },
    ...{ weight: 0.6, score: 0.02 },
  })
  assert.deepEqual(second?.bytesUp, { 'worker-1': 1_000 })
  assert.deepEqual(second?.pay, { 'worker-1': '2000000', 'worker-2': '1000000' })
  assert.deepEqual([third?.round, third?.valid, third?.claims, third?.pay], [3, null, null, null])
})

test('a round is a line of numbers for TensorBoard, without what is not known', () => {
  const [first, , third] = jobFacts(history, nameOf).rounds.map(jobEventOf)
  assert.deepEqual(first, {
    ...{ wallTime: 1_700_000_010, step: 1 },
    scalars: {
      ...{ 'loss/validation': 0.9, accuracy: 0.5, 'bytes/up': 1_001 },
      ...{ 'claims/delivered': 3, 'claims/audited': 2, 'claims/unheard': 1, convictions: 1, pay: 2_000_000 },
    },
  })
  assert.deepEqual(third?.scalars, { convictions: 0 })
  const dir = mkdtempSync(join(tmpdir(), 'potluck-job-report-'))
  try {
    new EventFile(dir, first && third ? [first, third] : [], 0)
    assert.deepEqual(readdirSync(dir), ['events.out.tfevents.1700000010.potluck'])
  } finally {
    rmSync(dir, { recursive: true })
  }
})

const count = (html: string, pattern: string): number => html.match(new RegExp(pattern, 'g'))?.length ?? 0

test('the report of a public job is one page with loss, bytes, weights, scores, audits and pay, each with its numbers', () => {
  const html = jobReportHtml(jobFacts(history, nameOf))
  assert.ok(html.includes('Job 4: Verses &#38; &#34;more&#34;'))
  for (const part of [
    'Loss',
    'Bytes',
    'What each worker gave',
    'Who contributed',
    'Who counted when',
    'Audits and convictions',
    'Pay',
    'Poisoning resistance',
    'Settings',
  ])
    assert.ok(html.includes(`<h2>${part}</h2>`), part)
  assert.ok(!/<(script|link|img|iframe|object)|url\(|@import|https?:/.test(html))
  assert.ok(!html.includes('NaN') && !html.includes('undefined') && !html.includes('liar <b>'))
  assert.equal(count(html, '<svg'), count(html, '<details>'))
  for (const tag of ['svg', 'figure', 'table', 'text', 'p', 'section'])
    assert.equal(count(html, `<${tag}[ >]`), count(html, `</${tag}>`), `every ${tag} is closed`)
  assert.ok(html.includes('lowest after round 2'))
  assert.ok(html.includes('2 of 6 claims were drawn and recomputed'))
  assert.ok(html.includes('Convicted: liar &#60;b&#62; in round 1 (claim, 60 SALT slashed)'))
  assert.ok(html.includes('The audit reports of 1 of the rounds are with nobody who is up.'))
  assert.ok(html.includes('5 USD in all. What 1 of the rounds added is not known'))
  assert.ok(html.includes('<p>Not measured.</p>'))
  // Two shares of one worker are one part of the round: 30 % and 20 %.
  assert.match(html, /<th scope="row">2<\/th><td><\/td><td>50\.0 %<\/td><td>50\.0 %<\/td>/)
  assert.ok(!html.includes('share of pay'))
})

test('a record of resistance that the builder stated is in the report', () => {
  const resistance = {
    scorePpm: 831_000,
    worst: 'noise',
    attackersPpm: 400_000,
    cleanPpm: 700_000,
    worstAccuracyPpm: 600_000,
  }
  assert.ok(document.kind === 'language')
  const html = jobReportHtml(jobFacts({ ...history, document: { ...document, resistance } }, nameOf))
  assert.match(html, /<p>0\.831 of 1 with 40\.0 % lying, decided by noise; .* \(as its builder measured it\)\.<\/p>/)
})

test('the report of a masked job says that single updates are not visible, and shows what owners found at home', () => {
  const masked = jobDocument.parse({
    ...{ type: 'job', kind: 'tabular', name: 'Four hospitals', description: '', workSeconds: 30, silenceSeconds: 3 },
    ...{ table: 'heart', l2: 0.05, maxSteps: 20, members: [1, 2, 3] },
  })
  const final = history.final.slice(0, 1).map((round) => ({ ...round, valid: null }))
  const evaluations = [
    { owner: 'cleveland', correct: 40, rows: 50 },
    { owner: 'va', correct: 30, rows: 50 },
  ]
  const html = jobReportHtml(
    jobFacts(
      {
        ...history,
        ...{ document: masked, rounds: 1, parameters: null, before: null },
        final,
        evaluations,
        handedIn: [],
      },
      nameOf,
    ),
  )
  assert.match(html, /nobody sees a single one, so there are no weights and no scores to show/)
  assert.ok(html.includes('70.0 % of 100 right'))
  for (const absent of ['<h2>Loss</h2>', '<h2>Bytes</h2>', 'Who counted when', 'NaN', 'undefined'])
    assert.ok(!html.includes(absent), absent)
  assert.ok(html.includes('Not measured: under masks nobody sees a single update.'))
})

test('of a job that just began, and of one whose document is gone, there is a report all the same', () => {
  const nothing = { document: null, final: [], handedIn: [], convictions: [], before: null, parameters: null }
  const html = jobReportHtml(jobFacts({ ...history, ...nothing }, nameOf))
  assert.ok(html.includes('0 of 3 rounds final'))
  assert.ok(html.includes('nobody who has it is up'))
  assert.ok(!html.includes('NaN') && !html.includes('undefined'))
})
