import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poisoningResistance } from '@potluck/learning'
import type { StoredResistance } from '../attack/resistanceFile.ts'
import type { RoundRecord } from '../RoundRecord.ts'
import { axisTicks, logTicks } from './axisTicks.ts'
import { partsOf } from './clientFigures.ts'
import { totals } from './curveFigures.ts'
import type { FederatedFacts } from './FederatedFacts.ts'
import { wireSize } from './markup.ts'
import { reportHtml } from './reportHtml.ts'
import { replaceResistance } from './resistanceSection.ts'

const round = (n: number, more: Partial<RoundRecord> = {}): RoundRecord => ({
  round: n,
  loss: 1 / n,
  valid: { loss: 2 / n, accuracy: 1 - 1 / (n + 1) },
  members: [0, 2],
  weights: [0.75, 0.25],
  norms: [1, 1],
  bytesUp: 100,
  bytesDown: 1_000,
  seconds: n,
  time: n,
  ...more,
})

const facts: FederatedFacts = {
  title: 'Training of <b>"a&b"</b>',
  settings: [['rule', 'mean']],
  rounds: [round(1), round(2, { members: [1, 2], weights: [1, 0] }), round(3)],
  clients: ['north', 'south', 'east'].map((id, c) => ({ id, size: 10 + c, counts: [6, 4 + c], isAttacker: c === 2 })),
  unit: 'rows',
  classes: ['no', 'yes'],
  parameters: 50,
  localSteps: 4,
  valid: { loss: 0.5, accuracy: 0.75 },
  test: null,
  bestRound: 3,
  attack: { name: 'sign-flip', count: 1 },
  resistance: { record: null, how: '`potluck attack trained` measures it' },
  privacy: null,
}

test('ticks are round and within the range', () => {
  assert.deepEqual(axisTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1])
  assert.deepEqual(axisTicks(-3, 17, 5), [0, 5, 10, 15])
  assert.deepEqual(axisTicks(2, 2), [2])
  assert.deepEqual(logTicks(5, 2_000), [1, 10, 100, 1_000, 10_000])
  assert.ok(logTicks(1, 1e15).length < 9)
})

test('sizes on a wire are in powers of a thousand', () => {
  assert.deepEqual([0, 999, 1_000, 1_550, 12_000_000, 3e9].map(wireSize), [
    '0 B',
    '999 B',
    '1 kB',
    '1.6 kB',
    '12 MB',
    '3 GB',
  ])
})

test('a client counts by the rounds it took part in', () => {
  assert.deepEqual(
    partsOf(facts).map(({ mean, rounds }) => [mean, rounds]),
    [
      [0.75, 2],
      [1, 1],
      [0.5 / 3, 3],
    ],
  )
})

test('synchronous training sends a gradient a member and step', () => {
  assert.deepEqual(totals(facts, facts.rounds), { up: 300, down: 3_000, synchronous: 3 * 2 * 4 * 50 * 4 })
})

test('a report is one page that loads nothing and escapes what it shows', () => {
  const html = reportHtml(facts)
  assert.ok(html.includes('Training of &#60;b&#62;&#34;a&#38;b&#34;&#60;/b&#62;'))
  assert.ok(!/<(script|link|img|iframe|object)|url\(|@import|https?:/.test(html))
  assert.ok(html.includes('prefers-color-scheme:dark'))
  for (const part of [
    'Loss',
    'Accuracy',
    'Bytes',
    'Who contributed',
    'Who counted when',
    'Attack',
    'Who has which data',
  ])
    assert.ok(html.includes(`<h2>${part}</h2>`), part)
  assert.ok(!html.includes('Privacy spent'))
  assert.equal(html.match(/<svg[^>]*role="img" aria-label="[^"]+"/g)?.length, html.match(/<svg/g)?.length)
  assert.equal(html.match(/<svg/g)?.length, html.match(/<details>/g)?.length)
  for (const tag of ['svg', 'figure', 'table', 'text', 'p', 'div', 'section', 'title']) {
    const count = (pattern: string): number => html.match(new RegExp(pattern, 'g'))?.length ?? 0
    assert.equal(count(`<${tag}[ >]`), count(`</${tag}>`), `every ${tag} is closed`)
  }
  assert.ok(!html.includes('NaN') && !html.includes('undefined'))
})

test('a report shows privacy spent, many classes together, and survives a loss that is not finite', () => {
  const many = {
    ...facts,
    classes: Array.from({ length: 14 }, (_, k) => `class ${k}`),
    clients: facts.clients.map((client) => ({ ...client, counts: Array.from({ length: 14 }, (_, k) => k) })),
    rounds: [round(1, { loss: Number.NaN, epsilon: 0.5, scores: [-0.1, 0.2] }), round(2, { epsilon: 0.8 })],
    privacy: { epsilon: 0.8, delta: 1e-5, words: ['What it means.'] },
  }
  const html = reportHtml(many)
  for (const part of ['Privacy spent', 'What it means.', 'What each client gave', 'others', 'ε 0.8'])
    assert.ok(html.includes(part), part)
  assert.ok(!html.includes('NaN'))
})

const record: StoredResistance = {
  ...poisoningResistance({
    rule: '{"kind":"mean"}',
    compression: '{"kind":"f32"}',
    attackers: 1 / 3,
    seeds: [1],
    clean: { attack: 'none', accuracies: [0.8], backdoorSuccess: [0.1] },
    cells: [
      { attack: 'sign-flip', accuracies: [0.4] },
      { attack: 'backdoor', accuracies: [0.8], backdoorSuccess: [0.3] },
    ],
  }),
  setting: null,
  clients: 3,
  liars: 1,
  rounds: 3,
  unattacked: { attack: 'none', accuracies: [0.7] },
  zeroed: { none: 0, 'sign-flip': 0.25, backdoor: 0 },
  warning: null,
}

test('a report says that no resistance was measured and how, and takes a record in later', () => {
  const before = reportHtml(facts)
  assert.match(before, /<h2>Poisoning resistance<\/h2>\n<p>Not measured\. `potluck attack trained` measures it<\/p>/)
  const after = replaceResistance(before, { record, how: '' })
  assert.ok(after && !after.includes('Not measured'))
  assert.ok(after.includes('0.300 of 1 with 33.3 % lying, decided by sign-flip'), after)
  assert.ok(after.includes('a backdoor works on 30.0 % of triggered rows'))
  assert.equal(after, reportHtml({ ...facts, resistance: { record, how: '' } }))
  assert.equal(replaceResistance('<html></html>', { record, how: '' }), undefined)
})

test('a backdoor is told with its own success and with what goes wrong without it', () => {
  const backdoor = { target: 'no<', success: 0.9, untriggered: 0.05, rows: 40 }
  const html = reportHtml({ ...facts, attack: { name: 'backdoor', count: 1, backdoor } })
  assert.ok(
    html.includes(
      'the backdoor works on 90.0 % of 40 triggered rows: they are taken for &#34;no&#60;&#34;, 5.0 % of them also without the trigger',
    ),
  )
})
