/** Our own greedy generation; `node bench/src/engine/ownGeneration.ts EXECUTOR THREADS TOKENS` runs it alone. */
import { generateCached, referenceModel } from '@potluck/engine'
import { createLocalEngine } from '@potluck/runtime'
import { generationParameters, generationPrompt } from './llamaRival.ts'

export type OwnGeneration = { readonly tokensPerSecond: number; readonly tokens: readonly number[] }

const REPETITIONS = 5

/** Tokens a second of the fastest repetition, the prompt left out. */
export async function ownGeneration(
  executor: 'native' | 'wasm',
  threads: number,
  tokens: number,
): Promise<OwnGeneration> {
  const engine = await createLocalEngine({ executor, threads })
  const parameters = generationParameters()
  const generation = {
    config: referenceModel,
    parameters,
    prompts: [generationPrompt],
    maxTokens: tokens,
    sampling: { temperature: 0 },
    seed: new Uint8Array(32),
  }
  let best = Number.POSITIVE_INFINITY
  let written: number[] = []
  for (let i = 0; i < REPETITIONS; i++) {
    written = []
    let startedMs = 0
    for await (const { tokens: now } of generateCached(engine, generation)) {
      written.push(now[0] as number)
      if (written.length === 1) startedMs = performance.now()
    }
    best = Math.min(best, (performance.now() - startedMs) / (tokens - 1))
  }
  await engine.close()
  return { tokensPerSecond: 1000 / best, tokens: written }
}

if (import.meta.main) {
  const [executor, threads = '1', tokens = '100'] = process.argv.slice(2)
  console.log(
    JSON.stringify(await ownGeneration(executor === 'wasm' ? 'wasm' : 'native', Number(threads), Number(tokens))),
  )
}
