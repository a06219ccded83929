import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PotluckError } from '@potluck/protocol'
import { partitionOf } from './FederatedWishes.ts'
import { parseAttackers } from './parseAttackers.ts'
import { parseCompression } from './parseCompression.ts'
import { parseMethod } from './parseMethod.ts'
import { parseNoise } from './parseNoise.ts'
import { parseOuter } from './parseOuter.ts'
import { parseRule } from './parseRule.ts'

const refusal =
  (...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError && thrown.code === 'BAD_SETTING', String(thrown))
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

test('every rule is read, shares as numbers of members', () => {
  const rule = (text: string) => parseRule(text, 10)
  assert.deepEqual(rule('mean'), { kind: 'mean' })
  assert.deepEqual(rule('weighted'), { kind: 'weightedMean' })
  assert.deepEqual(rule('trimmed:0.25'), { kind: 'trimmedMean', trim: 2 })
  assert.deepEqual(rule('trimmed:3'), { kind: 'trimmedMean', trim: 3 })
  assert.deepEqual(rule('krum:0.3'), { kind: 'multiKrum', attackers: 3 })
  assert.deepEqual(rule('geometric'), { kind: 'geometricMedian' })
  assert.deepEqual(rule('clip'), { kind: 'centeredClipping' })
  assert.deepEqual(rule('clip:0.5'), { kind: 'centeredClipping', radius: 0.5 })
  assert.deepEqual(rule('bound:2'), { kind: 'normBound', bound: 2 })
  // biome-ignore lint/suspicious/noThenProperty: the rule that follows, as Rule names it
  assert.deepEqual(rule('bucket:2:krum:2'), { kind: 'bucketing', size: 2, then: { kind: 'multiKrum', attackers: 2 } })
  assert.deepEqual(rule('neighbours:0.2:median'), {
    kind: 'nearestNeighbours',
    attackers: 2,
    // biome-ignore lint/suspicious/noThenProperty: as above
    then: { kind: 'median' },
  })
})

test('a rule that is not known, or not so written, is refused with the rules there are', () => {
  for (const text of [
    'fedavg',
    '',
    'krum',
    'krum:x',
    'krum:11',
    'krum:1.5',
    'mean:2',
    'trimmed:0',
    'bucket:2',
    'median@1',
    'clip:-1',
  ]) {
    assert.throws(() => parseRule(text, 10), refusal('--rule', 'trimmed:SHARE'), text)
  }
})

test('compression, outer optimiser and method are read, and refused, in every form', () => {
  assert.deepEqual(parseCompression('none'), { kind: 'f32' })
  assert.deepEqual(parseCompression('dense4'), { kind: 'dense', bits: 4 })
  assert.deepEqual(parseCompression('topk:64'), { kind: 'topk', keep: 64, feedback: 8 })
  assert.deepEqual(parseCompression('topk:64:0'), { kind: 'topk', keep: 64, feedback: 0 })
  for (const text of ['topk', 'topk:0', 'topk:64:5', 'topk:64:8:1', 'dense3', 'zip', 'none:1']) {
    assert.throws(() => parseCompression(text), refusal('--compress', 'dense8'), text)
  }
  assert.deepEqual(parseOuter('sgd'), { kind: 'sgd', rate: 1 })
  assert.deepEqual(parseOuter('sgd:0.9@0.5'), { kind: 'sgd', rate: 0.5, momentum: 0.9 })
  assert.deepEqual(parseOuter('nesterov:0.5@0.7'), { kind: 'sgd', rate: 0.7, momentum: 0.5, nesterov: true })
  assert.deepEqual(parseOuter('adagrad@0.1'), { kind: 'adagrad', rate: 0.1, beta1: 0, beta2: 0.99, epsilon: 1e-3 })
  for (const text of ['lamb', 'sgd@0', 'sgd:1', 'adam:0.9', 'nesterov:0', 'adam@']) {
    assert.throws(() => parseOuter(text), refusal('--outer', 'yogi'), text)
  }
  assert.deepEqual(parseMethod('fedprox:0.1'), { kind: 'proximal', mu: 0.1 })
  assert.deepEqual(parseMethod('scaffold'), { kind: 'scaffold', share: 0.1 })
  assert.deepEqual(parseMethod('scaled-scaffold'), { kind: 'scaffold', share: 0.1, isScaled: true })
  assert.deepEqual(parseMethod('scaffold:1'), { kind: 'scaffold', share: 1 })
  for (const text of ['fedprox:0', 'scaffold:0', 'scaffold:1.5', 'fednova']) {
    assert.throws(() => parseMethod(text), refusal('--method', 'fedprox'), text)
  }
})

test('attackers and noise are read, and refused', () => {
  assert.deepEqual(parseAttackers('0.4:sign-flip'), { share: 0.4, attack: 'sign-flip' })
  assert.deepEqual(parseAttackers('.3:alie:1.5'), { share: 0.3, attack: 'alie:1.5' })
  for (const text of ['sign-flip', '0:sign-flip', '1:sign-flip', '-0.3:copy', '0.3']) {
    assert.throws(() => parseAttackers(text), refusal('--attackers', '0.4:sign-flip'), text)
  }
  assert.deepEqual(parseNoise('0.5/1.1'), { clip: 0.5, multiplier: 1.1 })
  for (const text of ['0.5', '0.5/0', '/1', '1/1/1', 'a/b']) {
    assert.throws(() => parseNoise(text), refusal('--noise', 'CLIP/MULTIPLIER'), text)
  }
})

test('a federation is one with clients or with a column that names them', () => {
  assert.equal(partitionOf({}), undefined)
  assert.deepEqual(partitionOf({ clients: 3 }), { kind: 'iid' })
  assert.deepEqual(partitionOf({ partition: 'by-column:site' }), { kind: 'column', column: 'site' })
  assert.throws(() => partitionOf({ perRound: 3 }), { code: 'BAD_USAGE', message: /--per-round/ })
  assert.throws(() => partitionOf({ partition: 'iid' }), { code: 'BAD_USAGE', message: /--partition/ })
  assert.throws(() => partitionOf({ clients: 3, partition: 'random' }), { code: 'BAD_PARTITION' })
})
