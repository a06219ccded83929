/** The rivals of the benchmark compute what we compute: the same losses, the same tokens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { howToInstall, isInstalled } from '../../bench/src/engine/installedRivals.ts'
import { generationParameters, generationPrompt, llamaRival } from '../../bench/src/engine/llamaRival.ts'
import { onnxRival } from '../../bench/src/engine/onnxRival.ts'
import { curveDistance } from '../../bench/src/engine/RivalStep.ts'
import { ownLosses } from '../../bench/src/engine/referenceStep.ts'
import { torchRival } from '../../bench/src/engine/torchRival.ts'
import { createEngine } from '../../packages/engine/src/createEngine.ts'
import { generateCached } from '../../packages/engine/src/training/generateCached.ts'
import { referenceModel } from '../../packages/engine/src/training/referenceTrainings.ts'

const skipUnless = (name: string): string | false =>
  isInstalled(name) ? false : `${name} is not installed: ${howToInstall}`

/** Three measured steps after two of warm-up. */
const STEPS = 5
const ours = isInstalled('onnxruntime-node') ? ownLosses(await createEngine(), STEPS) : Promise.resolve([])

test('onnxruntime trains the reference model to our losses', { skip: skipUnless('onnxruntime-node') }, async () => {
  const { losses, msPerStep, cpuMsPerStep } = await onnxRival({ threads: 1, steps: STEPS - 2 })
  assert.equal(losses.length, STEPS)
  assert.ok(losses[4]! < losses[0]! - 1, 'five steps teach something')
  assert.ok(curveDistance(await ours, losses) < 1e-4, `ours ${await ours}, theirs ${losses}`)
  assert.ok(msPerStep > 0 && cpuMsPerStep > 0)
})

test('PyTorch trains the reference model to our losses', { skip: skipUnless('onnxruntime-node') }, async (t) => {
  const result = await torchRival({ threads: 1, steps: 1 })
  if ('absent' in result) return t.skip(result.absent)
  assert.equal(result.losses.length, 3)
  assert.ok(curveDistance(await ours, result.losses) < 1e-4, `ours ${await ours}, theirs ${result.losses}`)
  assert.ok(result.peakRssBytes > 0)
})

test('llama.cpp writes our tokens', { skip: skipUnless('node-llama-cpp') }, async () => {
  const { tokens } = await llamaRival({ threads: 1, tokens: 24, repetitions: 1 })
  const own: number[] = []
  const generation = {
    config: referenceModel,
    parameters: generationParameters(),
    prompts: [generationPrompt],
    maxTokens: 24,
    sampling: { temperature: 0 },
    seed: new Uint8Array(32),
  }
  for await (const { tokens: written } of generateCached(await createEngine(), generation)) own.push(written[0]!)
  assert.deepEqual(tokens, own)
})
