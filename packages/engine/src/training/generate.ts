import type { Engine } from '../createEngine.ts'
import { cachedDecoder } from '../model/cachedDecoder.ts'
import { charactersOf, type LanguageConfig } from '../model/LanguageConfig.ts'
import { logitsProgram, vocabularySize } from '../model/languagePrograms.ts'
import { sequenceModelOf } from '../model/sequenceModelOf.ts'
import { encodeText } from '../model/text.ts'
import type { Execution } from '../program/Execution.ts'
import { RandomStream, streamPurpose } from '../random/RandomStream.ts'
import { checkSampling, sampleToken } from './sampleToken.ts'

export type Generation = {
  readonly config: LanguageConfig
  readonly parameters: Float32Array
  readonly prompt: string
  readonly maxTokens: number
  /** 0 takes the likeliest character, the first of equals; above 0 divides the logits by it before drawing. */
  readonly temperature: number
  /** Decides the draws; any bytes. */
  readonly seed: Uint8Array
  /** Ends before the first of these strings would be complete; it is not given out. */
  readonly stop?: readonly string[]
  readonly signal?: AbortSignal
}

/**
 * Continues a prompt one character at a time, a pure function of its arguments (E-19).
 *
 * Characters of the prompt outside the vocabulary are dropped. An empty prompt counts as one newline, or as the first
 * character of the vocabulary where there is no newline. Only the last `context` characters are seen. With `stop`, a
 * character that may begin a stop string is held back until that is decided.
 *
 * Cost: one pass over the weights per character while prompt and text fit the context, then one forward pass of a full
 * window per character.
 */
export async function* generate(engine: Engine, generation: Generation): AsyncGenerator<string, void> {
  const { config, prompt, maxTokens, temperature, seed, stop = [], signal } = generation
  checkSampling({ temperature })
  const characters = charactersOf(config)
  const text = [...encodeText(config, prompt, 'drop')]
  if (text.length === 0) text.push(Math.max(0, characters.indexOf('\n')))
  const logitsAfter = reader(engine, generation, text.length)
  const stops = stop.filter((item) => item.length > 0)
  let held = ''
  for (let step = 0; step < maxTokens; step++) {
    signal?.throwIfAborted()
    const logits = await logitsAfter(text)
    const uniform = new RandomStream(seed, streamPurpose.sampling, step).uniform(0)
    const token = sampleToken(logits, { temperature }, uniform)
    text.push(token)
    held += characters[token]!
    if (stops.some((item) => held.endsWith(item))) return void (yield* withoutStop(held, stops))
    const keep = undecided(held, stops)
    if (held.length > keep) yield* [...held.slice(0, held.length - keep)]
    held = held.slice(held.length - keep)
  }
  yield* [...held]
}

/** Gives the logits after the text: from the cache while the text fits the context, else by a full pass over its end. */
function reader(
  engine: Engine,
  { config, parameters, maxTokens }: Generation,
  length: number,
): (text: readonly number[]) => Promise<Float32Array> {
  const { context: T } = config
  const V = vocabularySize(config)
  const cached = cachedDecoder(engine, sequenceModelOf(config), { parameters }, 1, length + maxTokens)
  let known = 0
  let full: Execution | undefined
  return async (text) => {
    if (text.length <= T) {
      const logits = known === text.length - 1 ? await cached.append(text.slice(-1)) : await cached.read([text])
      known = text.length
      return logits
    }
    // Once the text is longer than the context every position shifts, and with it all keys and values.
    if (!full) {
      full = await engine.prepare(logitsProgram(config))
      full.write('parameters', parameters)
    }
    full.write('tokens', Int32Array.from(text.slice(-T)))
    full.run()
    return full.read('logits').subarray((T - 1) * V)
  }
}

/** How many of the last characters of `held` may still become a stop string. */
function undecided(held: string, stops: readonly string[]): number {
  let most = 0
  for (const item of stops) {
    for (let length = 1; length < item.length && length <= held.length; length++) {
      if (held.endsWith(item.slice(0, length))) most = Math.max(most, length)
    }
  }
  return most
}

function* withoutStop(held: string, stops: readonly string[]): Generator<string, void> {
  const found = stops.filter((item) => held.endsWith(item))
  const longest = Math.max(...found.map((item) => item.length))
  yield* [...held.slice(0, held.length - longest)]
}
