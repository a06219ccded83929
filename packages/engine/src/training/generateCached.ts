import { PotluckError } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import { cachedDecoder } from '../model/cachedDecoder.ts'
import type { LanguageConfig } from '../model/LanguageConfig.ts'
import type { SequenceConfig } from '../model/ModelConfig.ts'
import { sequenceModelOf } from '../model/sequenceModelOf.ts'
import { RandomStream, streamPurpose } from '../random/RandomStream.ts'
import { checkSampling, type Sampling, sampleToken } from './sampleToken.ts'

export type CachedGeneration = {
  readonly config: SequenceConfig | LanguageConfig
  readonly parameters: Float32Array
  /** The fixed base of a model with adapters. */
  readonly frozen?: Float32Array | undefined
  /** One or more sequences, each of at least one token. */
  readonly prompts: readonly ArrayLike<number>[]
  /** Tokens to write to each sequence. */
  readonly maxTokens: number
  readonly sampling: Sampling
  /** Decides the draws; any bytes. */
  readonly seed: Uint8Array
  /** A sequence ends with the first of these; it is given out. */
  readonly stopTokens?: readonly number[] | undefined
  readonly signal?: AbortSignal | undefined
}

export type GeneratedTokens = {
  /** From 0. */
  readonly step: number
  /** The token written to each sequence; null where it has ended. */
  readonly tokens: readonly (number | null)[]
}

/**
 * Continues sequences side by side, a pure function of its arguments.
 *
 * Token number s of sequence b is drawn with uniform(b) of the stream `sampling`, step s. A prompt counts by its last T
 * tokens. A sequence that fills the context goes on from its last ⌈T/2⌉ tokens, which then stand at positions 0, 1, …
 * (E-38). Stops early when every sequence has ended.
 *
 * @throws PotluckError BAD_CONFIG, BAD_TOKEN, EMPTY_PROMPT, BAD_SAMPLING, BAD_TEMPERATURE, SHAPE; the signal's reason
 */
export async function* generateCached(
  engine: Engine,
  generation: CachedGeneration,
): AsyncGenerator<GeneratedTokens, void> {
  const { config, parameters, frozen, prompts, maxTokens, sampling, seed, stopTokens = [], signal } = generation
  checkSampling(sampling)
  const model = sequenceModelOf(config)
  const { context: T, vocabulary: V } = model.form
  checkPrompts(prompts, V)
  const windows = prompts.map((prompt) => Array.from(prompt).slice(-T))
  const B = windows.length
  const longest = Math.max(...windows.map((window) => window.length))
  const decoder = cachedDecoder(engine, model, { parameters, frozen }, B, Math.min(T, longest + maxTokens))
  const ended = new Array<boolean>(B).fill(false)
  if (maxTokens < 1) return
  let logits = await decoder.read(windows)
  for (let step = 0; step < maxTokens; step++) {
    signal?.throwIfAborted()
    const random = new RandomStream(seed, streamPurpose.sampling, step)
    const written = windows.map((_, b) => sampleToken(logits.subarray(b * V, (b + 1) * V), sampling, random.uniform(b)))
    yield { step, tokens: written.map((token, b) => (ended[b] ? null : token)) }
    written.forEach((token, b) => {
      if (stopTokens.includes(token)) ended[b] = true
    })
    if (step + 1 === maxTokens || ended.every((isEnded) => isEnded)) return
    const isFull = windows.some((window) => window.length === T)
    windows.forEach((window, b) => {
      if (window.length === T) window.splice(0, T - Math.ceil(T / 2))
      window.push(written[b]!)
    })
    logits = isFull ? await decoder.read(windows) : await decoder.append(written)
  }
}

function checkPrompts(prompts: readonly ArrayLike<number>[], V: number): void {
  if (prompts.length === 0) throw new PotluckError('EMPTY_PROMPT', 'there is no prompt: give at least one')
  prompts.forEach((prompt, b) => {
    if (prompt.length === 0) throw new PotluckError('EMPTY_PROMPT', `prompt ${b} has no token: give at least one`)
    const at = Array.from(prompt).findIndex((token) => !Number.isSafeInteger(token) || token < 0 || token >= V)
    if (at >= 0) {
      throw new PotluckError('BAD_TOKEN', `prompt ${b}: token ${prompt[at]} at position ${at}, expected 0 to ${V - 1}`)
    }
  })
}
