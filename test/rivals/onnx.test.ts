/** Every model kind through onnxruntime: the exported file gives the numbers of our own forward pass. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { howToInstall, isInstalled } from '../../bench/src/engine/installedRivals.ts'
import { loadOnnxRuntime, openSession } from '../../bench/src/engine/OnnxRuntime.ts'
import { createReferenceEngine } from '../../packages/engine/src/createEngine.ts'
import { modelToOnnx } from '../../packages/engine/src/formats/onnx/modelToOnnx.ts'
import { exampleConfigs, exampleModel, ownOutputs, sampleNumbers } from './exampleModels.ts'

const skip = isInstalled('onnxruntime-node') ? false : `onnxruntime-node is not installed: ${howToInstall}`
const engine = createReferenceEngine()

for (const [name, config] of Object.entries(exampleConfigs)) {
  test(`onnxruntime computes an exported ${name} model to 1e-4 of our own pass`, { skip }, async () => {
    const runtime = await loadOnnxRuntime()
    const example = exampleModel(config)
    const { sample } = example.model
    const B = 3
    const count = sample.kind === 'tokens' ? B * sample.context : B * sample.inputs
    const numbers = sampleNumbers(count, 5)
    const tokens = Int32Array.from(numbers, (x) => Math.floor((x + 1) * 9.5))
    const own = await ownOutputs(engine, example, B, sample.kind === 'tokens' ? tokens : numbers)
    const session = await openSession(runtime, modelToOnnx(config, example.weights))
    const feeds =
      sample.kind === 'tokens'
        ? { input_ids: new runtime.Tensor('int64', BigInt64Array.from(tokens, BigInt), [B, sample.context]) }
        : { inputs: new runtime.Tensor('float32', numbers, [B, sample.inputs]) }
    const results = await session.run(feeds)
    const theirs = (results.logits ?? results.predictions)?.data as Float32Array
    assert.equal(theirs.length, own.length)
    const scale = own.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    assert.ok(scale > 0.1, `outputs up to ${scale} say little`)
    for (const [i, x] of own.entries()) {
      assert.ok(Math.abs(x - theirs[i]!) <= 1e-4 * Math.max(1, scale), `output ${i}: ${x}, onnxruntime ${theirs[i]}`)
    }
    if (results.probabilities) {
      const sum = (results.probabilities.data as Float32Array).reduce((total, p) => total + p, 0)
      assert.ok(Math.abs(sum - B) < 1e-5)
    }
    await session.release()
  })
}

test('onnxruntime takes a shorter text than the context, with the same logits', { skip }, async () => {
  const runtime = await loadOnnxRuntime()
  for (const kind of ['llama', 'gpt'] as const) {
    const config = exampleConfigs[kind]!
    const session = await openSession(runtime, modelToOnnx(config, exampleModel(config).weights))
    const run = async (tokens: bigint[]): Promise<Float32Array> => {
      const results = await session.run({
        input_ids: new runtime.Tensor('int64', BigInt64Array.from(tokens), [1, tokens.length]),
      })
      return results.logits?.data as Float32Array
    }
    const [whole, part] = [await run([1n, 5n, 3n, 7n, 2n]), await run([1n, 5n, 3n])]
    for (const [i, x] of part.entries()) assert.ok(Math.abs(x - whole[i]!) < 1e-5)
    await session.release()
  }
})
