/** Our llama models through llama.cpp: the exported file loads, and continues texts as our own forward pass does. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { howToInstall, isInstalled } from '../../bench/src/engine/installedRivals.ts'
import { loadLlamaCpp } from '../../bench/src/engine/LlamaCpp.ts'
import { createReferenceEngine } from '../../packages/engine/src/createEngine.ts'
import type { GgufTokenizer } from '../../packages/engine/src/formats/gguf/GgufTokenizer.ts'
import { llamaToGguf } from '../../packages/engine/src/formats/gguf/llamaToGguf.ts'
import type { LlamaConfig } from '../../packages/engine/src/model/ModelConfig.ts'
import { bpeTokenizer } from '../../packages/engine/src/text/bpeTokenizer.ts'
import { trainBpe } from '../../packages/engine/src/text/trainBpe.ts'
import { type Example, exampleModel, ownOutputs } from './exampleModels.ts'

const skip = isInstalled('node-llama-cpp') ? false : `node-llama-cpp is not installed: ${howToInstall}`
const engine = createReferenceEngine()

/** Code points of one to four bytes, and those that have to be escaped. */
const vocabulary = '\n !"\\abcdefghé€😀\tz'
const characters: GgufTokenizer = { kind: 'characters', vocabulary }
const size = [...vocabulary].length

const plain: LlamaConfig = {
  kind: 'llama',
  vocabulary: size,
  context: 24,
  width: 64,
  layers: 2,
  heads: 2,
  hidden: 96,
}

/** Greedy continuation by our own full pass. */
async function continued(example: Example, prompt: readonly number[], count: number): Promise<number[]> {
  const { context, vocabulary: V } = example.model.config as LlamaConfig
  const tokens = [...prompt]
  for (let i = 0; i < count; i++) {
    const window = new Int32Array(context)
    window.set(tokens)
    const logits = await ownOutputs(engine, example, 1, window)
    const last = logits.subarray((tokens.length - 1) * V, tokens.length * V)
    tokens.push(last.indexOf(last.reduce((most, x) => Math.max(most, x))))
  }
  return tokens.slice(prompt.length)
}

async function withModel(
  file: Uint8Array,
  use: (model: Awaited<ReturnType<Awaited<ReturnType<typeof loadLlamaCpp>>['loadModel']>>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-gguf-'))
  const llama = await loadLlamaCpp()
  try {
    const modelPath = join(folder, 'model.gguf')
    writeFileSync(modelPath, file)
    const model = await llama.loadModel({ modelPath, useMmap: false })
    await use(model)
    await model.dispose()
  } finally {
    await llama.dispose()
    rmSync(folder, { recursive: true })
  }
}

for (const [name, config] of Object.entries<LlamaConfig>({
  plain,
  tied: { ...plain, tie: true, heads: 4 },
  'one with another rope base': { ...plain, ropeBase: 500 },
  'one with adapters': { ...plain, lora: { rank: 2, alpha: 4, matrices: ['value', 'gate'] } },
})) {
  test(`llama.cpp continues a text as we do: ${name} model of characters`, { skip }, async () => {
    const example = exampleModel(config, 0.2)
    await withModel(llamaToGguf(config, example.weights, characters), async (model) => {
      const text = 'a\\é€ 😀\tb\n'
      const prompt = model.tokenize(text)
      assert.deepEqual(
        prompt,
        [...text].map((character) => [...vocabulary].indexOf(character)),
      )
      assert.equal(model.detokenize(prompt), text)
      const context = await model.createContext({ contextSize: config.context, threads: 1, flashAttention: false })
      const theirs: number[] = []
      for await (const token of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
        theirs.push(token)
        if (theirs.length === 12) break
      }
      assert.deepEqual(theirs, await continued(example, prompt, 12))
      await context.dispose()
    })
  })
}

test('llama.cpp cuts a text as our byte pairs do, and continues it as we do', { skip }, async () => {
  const corpus = "it's the cat, the bat and the hat; 12 cats' éclairs!\n\n  the end 😀 of the tale\n".repeat(8)
  const tokenizer = bpeTokenizer(trainBpe(corpus, { size: 300, added: ['<|endoftext|>'] }))
  const config: LlamaConfig = { ...plain, vocabulary: tokenizer.size }
  const example = exampleModel(config, 0.2)
  const { vocabulary: bytePairs } = tokenizer
  await withModel(llamaToGguf(config, example.weights, { kind: 'bpe', vocabulary: bytePairs }), async (model) => {
    for (const text of ["the cat's tale", 'é 😀\n\n  9 hats ', corpus]) {
      assert.deepEqual(model.tokenize(text), [...tokenizer.encode(text)], JSON.stringify(text))
      assert.equal(model.detokenize(model.tokenize(text)), text)
    }
    const prompt = [...tokenizer.encode('the cat')]
    const context = await model.createContext({ contextSize: config.context, threads: 1, flashAttention: false })
    const theirs: number[] = []
    for await (const token of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      theirs.push(token)
      if (theirs.length === 8) break
    }
    assert.deepEqual(theirs, await continued(example, prompt, 8))
    await context.dispose()
  })
})
