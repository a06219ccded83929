import { PotluckError } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import { exactExp64 } from '../math/exp64.ts'
import { charactersOf, type LanguageConfig } from '../model/LanguageConfig.ts'
import { logitsProgram, vocabularySize } from '../model/languagePrograms.ts'
import { encodeText } from '../model/text.ts'
import { RandomStream, streamPurpose } from '../random/RandomStream.ts'

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
 * Cost: one forward pass of a full window per character.
 */
export async function* generate(engine: Engine, generation: Generation): AsyncGenerator<string, void> {
  const { config, parameters, prompt, maxTokens, temperature, seed, stop = [], signal } = generation
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new PotluckError('BAD_TEMPERATURE', `temperature must be 0 or above, got ${temperature}`)
  }
  const { context: T } = config
  const V = vocabularySize(config)
  const characters = charactersOf(config)
  const execution = await engine.prepare(logitsProgram(config))
  execution.write('parameters', parameters)
  const text = [...encodeText(config, prompt, 'drop')]
  if (text.length === 0) text.push(Math.max(0, characters.indexOf('\n')))
  const stops = stop.filter((item) => item.length > 0)
  let held = ''
  for (let step = 0; step < maxTokens; step++) {
    signal?.throwIfAborted()
    const seen = text.slice(-T)
    const window = new Int32Array(T)
    window.set(seen)
    execution.write('tokens', window)
    execution.run()
    const logits = execution.read('logits').subarray((seen.length - 1) * V, seen.length * V)
    const token = temperature === 0 ? likeliest(logits) : draw(logits, temperature, seed, step)
    text.push(token)
    held += characters[token]!
    if (stops.some((item) => held.endsWith(item))) return void (yield* withoutStop(held, stops))
    const keep = undecided(held, stops)
    if (held.length > keep) yield* [...held.slice(0, held.length - keep)]
    held = held.slice(held.length - keep)
  }
  yield* [...held]
}

function likeliest(logits: Float32Array): number {
  return logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0)
}

/** The first token whose cumulated weight e^((x − max)/temperature), in f64 from left to right, exceeds u · total. */
function draw(logits: Float32Array, temperature: number, seed: Uint8Array, step: number): number {
  const most = logits[likeliest(logits)]!
  const weights = Array.from(logits, (value) => exactExp64((value - most) / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const limit = new RandomStream(seed, streamPurpose.sampling, step).uniform(0) * total
  let sum = 0
  for (const [token, weight] of weights.entries()) {
    sum += weight
    if (sum > limit) return token
  }
  return logits.length - 1
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
