/** The reference model in llama.cpp; `node bench/src/engine/llamaRival.ts [threads] [tokens]` runs it alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuUsage } from 'node:process'
import { initialModelParameters, modelOf, referenceModel } from '@potluck/engine'
import { llamaToGguf } from '../../../packages/engine/src/formats/gguf/llamaToGguf.ts'
import { plainWeights } from '../../../packages/engine/src/formats/modelWeights.ts'
import { loadLlamaCpp } from './LlamaCpp.ts'

/** What everybody generates: the untrained reference model, greedily, after one prompt. */
export const generationPrompt: readonly number[] = Array.from({ length: 16 }, (_, i) => (37 * i + 11) % 512)
const seed = new Uint8Array(32).fill(7)

/** The parameters that are generated with; the same for us and for llama.cpp. */
export const generationParameters = (): Float32Array => initialModelParameters(modelOf(referenceModel), seed)

export type LlamaGeneration = {
  readonly version: string
  /** Of the fastest repetition, the prompt left out. */
  readonly tokensPerSecond: number
  /** CPU time of all threads per token, in the repetition that used least. */
  readonly cpuMsPerToken: number
  readonly tokens: readonly number[]
}

export type LlamaOptions = {
  readonly threads: number
  /** Tokens to write; with the prompt at most the context of 128. Default 100. */
  readonly tokens?: number
  readonly repetitions?: number
  /**
   * What keys and values are kept in. Default F32, as we do; with flashAttention off it is the fastest of the four ways on this model. llama.cpp's own
   * choice is F16.
   */
  readonly cache?: 'F16' | 'F32'
  /** Default false; llama.cpp's own choice is auto. */
  readonly flashAttention?: 'auto' | false
}

/**
 * Greedy generation by llama.cpp (node-llama-cpp) from the GGUF file that we write of the reference model in f32.
 *
 * @throws Error with what to do when node-llama-cpp is not installed
 */
export async function llamaRival({
  threads,
  tokens = 100,
  repetitions = 5,
  cache = 'F32',
  flashAttention = false,
}: LlamaOptions): Promise<LlamaGeneration> {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-llama-'))
  const llama = await loadLlamaCpp(threads)
  try {
    const modelPath = join(folder, 'reference.gguf')
    // Its texts do not matter here, only that there are as many tokens: letters from U+4E00 on.
    const vocabulary = String.fromCodePoint(...Array.from({ length: referenceModel.vocabulary }, (_, i) => 0x4e00 + i))
    const weights = plainWeights(modelOf(referenceModel), generationParameters())
    writeFileSync(modelPath, llamaToGguf(referenceModel, weights, { kind: 'characters', vocabulary }))
    const model = await llama.loadModel({ modelPath })
    const context = await model.createContext({
      contextSize: referenceModel.context,
      threads: { ideal: threads, min: threads },
      flashAttention,
      experimentalKvCacheKeyType: cache,
      experimentalKvCacheValueType: cache,
    })
    const sequence = context.getSequence()
    let written: number[] = []
    const [walls, cpus]: [number[], number[]] = [[], []]
    for (let i = 0; i < repetitions; i++) {
      await sequence.clearHistory()
      written = []
      let [startedMs, startedCpu] = [0, cpuUsage()]
      for await (const token of sequence.evaluate(generationPrompt, { temperature: 0, yieldEogToken: true })) {
        written.push(token)
        // The first token is the prompt's work.
        if (written.length === 1) [startedMs, startedCpu] = [performance.now(), cpuUsage()]
        if (written.length === tokens) break
      }
      const cpu = cpuUsage(startedCpu)
      walls.push((performance.now() - startedMs) / (tokens - 1))
      cpus.push((cpu.user + cpu.system) / 1000 / (tokens - 1))
    }
    await context.dispose()
    await model.dispose()
    return {
      version: `llama.cpp ${llama.llamaCppRelease.release} (node-llama-cpp)`,
      tokensPerSecond: 1000 / Math.min(...walls),
      cpuMsPerToken: Math.min(...cpus),
      tokens: written,
    }
  } finally {
    await llama.dispose()
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) {
  const [threads = 1, tokens = 100] = process.argv.slice(2).map(Number)
  for (const cache of ['F32', 'F16'] as const) {
    for (const flashAttention of ['auto', false] as const) {
      const measured = await llamaRival({ threads, tokens, cache, flashAttention })
      console.log(JSON.stringify({ cache, flashAttention, ...measured }))
    }
  }
}
