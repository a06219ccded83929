import { type Engine, generateCached, isSequenceConfig, type ModelConfig } from '@potluck/engine'
import type { TextSource } from '../LoadedData.ts'

/** Tokens shown of what a model writes: a few lines. */
const TOKENS = 240

/**
 * What a trained model writes after the first token of its validation text: the same for the same run, on every machine.
 * Control characters of the text are shown as spaces, so that they cannot reach a terminal.
 */
export async function sampleText(
  engine: Engine,
  config: ModelConfig,
  parameters: Float32Array,
  source: TextSource,
  seed: Uint8Array,
): Promise<string[]> {
  if (!isSequenceConfig(config)) return []
  const written: number[] = []
  const request = {
    config,
    parameters,
    prompts: [[source.start]],
    maxTokens: TOKENS,
    sampling: { temperature: 0.8 },
    seed,
  }
  for await (const { tokens } of generateCached(engine, request))
    if (typeof tokens[0] === 'number') written.push(tokens[0])
  return source.decode(written).split('\n').map(plainLine)
}

const plainLine = (line: string): string => line.replaceAll(/\p{Cc}/gu, ' ')
