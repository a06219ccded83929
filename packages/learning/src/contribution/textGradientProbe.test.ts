import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, encodeText, evaluateLoss, initialParameters, vocabularyOf } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { textGradientProbe } from './textGradientProbe.ts'

const text = 'the pot is full of rice and luck. '.repeat(6)
const config = { vocabulary: vocabularyOf(text), context: 8, width: 8, layers: 1, heads: 2, hidden: 12 }
const tokens = encodeText(config, text)
const parameters = initialParameters(config, utf8('start'))
const engine = await createEngine()

/** Windows that follow each other, as an evaluation reads them. */
const windows = (count: number) => ({
  inputs: Int32Array.from(tokens.subarray(0, 8 * count)),
  targets: Int32Array.from(tokens.subarray(1, 8 * count + 1)),
})

test('the loss of a text is that of an evaluation, and the gradient its slope, over passes that are not full too [L-60]', async () => {
  const count = 19
  const probe = await textGradientProbe(engine, config, windows(count))
  const { loss, gradient } = await probe(parameters)
  const expected = await evaluateLoss(engine, config, parameters, tokens.subarray(0, 8 * count + 1))
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss}, expected ${expected}`)
  const width = 1 / 128
  for (let j = 3; j < parameters.length; j += 97) {
    const moved = async (by: number) => (await probe(parameters.with(j, parameters[j]! + by))).loss
    const slope = ((await moved(width)) - (await moved(-width))) / (2 * width)
    assert.ok(Math.abs(slope - gradient[j]!) < 2e-3, `element ${j}: ${gradient[j]}, slope ${slope}`)
  }
})

test('what was measured before leaves no trace: the same parameters give the same bits again [L-60]', async () => {
  const probe = await textGradientProbe(engine, config, windows(3))
  const first = await probe(parameters)
  await probe(parameters.map((x) => 3 * x))
  assert.deepEqual(await probe(parameters), first)
  assert.deepEqual(await (await textGradientProbe(engine, config, windows(3)))(parameters), first)
})

test('no window, half a window and targets of another number are refused', async () => {
  const { inputs, targets } = windows(2)
  for (const bad of [
    { inputs: inputs.subarray(0, 0), targets: targets.subarray(0, 0) },
    { inputs: inputs.subarray(1), targets: targets.subarray(1) },
    { inputs, targets: targets.subarray(8) },
  ]) {
    await assert.rejects(textGradientProbe(engine, config, bad), { code: 'SHAPE', message: /whole windows of 8/ })
  }
})
