import { readFileSync } from 'node:fs'
import { type Engine, engineVectors } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { compareVectors, type Difference } from './compareVectors.ts'

/** What everybody computes: written by the reference executor, the same file that the tests of all executors read. */
const vectorFile = new URL('../../../../spec/vectors/engine.json', import.meta.url)

export type EngineVerdict = {
  /** `native avx2`, `wasm`: the executor, with its level where it has one. */
  readonly executor: string
  readonly threads: number
  /** Values compared. */
  readonly values: number
  readonly differences: readonly Difference[]
  /** What stopped the check; null when nothing did. */
  readonly error: string | null
}

/** Computes everything the vectors hold. */
export type ComputeVectors = (engine: Engine) => Promise<Record<string, unknown>>

/** `native avx2`, `wasm`: what an engine is, with its level where it has one. */
export const nameOfEngine = (engine: Engine & { level?: string }): string =>
  engine.level === undefined ? engine.executor : `${engine.executor} ${engine.level}`

/** How many values a JSON value holds. */
export const countLeaves = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, item) => sum + countLeaves(item), 0)
    : 1

/**
 * Compares what one engine computes with what everybody computes, operator by operator. An error counts as a difference: a machine that
 * stops cannot take the job.
 *
 * @throws PotluckError BAD_INSTALL when the vectors cannot be read
 */
export async function judgeEngine(
  engine: Engine,
  golden: unknown = goldenVectors(),
  compute: ComputeVectors = engineVectors,
): Promise<EngineVerdict> {
  const common = { executor: nameOfEngine(engine), threads: engine.threads, values: countLeaves(golden) }
  try {
    const seen: unknown = JSON.parse(JSON.stringify(await compute(engine)))
    return { ...common, differences: compareVectors(golden, seen), error: null }
  } catch (error) {
    return { ...common, differences: [], error: error instanceof Error ? error.message : String(error) }
  }
}

export const isExact = ({ differences, error }: EngineVerdict): boolean => differences.length === 0 && error === null

/** The committed vectors. */
export function goldenVectors(): unknown {
  try {
    return JSON.parse(readFileSync(vectorFile, 'utf8'))
  } catch (cause) {
    const message = `the vectors to check against cannot be read: ${(cause as Error).message}; install Potluck again`
    throw new PotluckError('BAD_INSTALL', message, {}, { cause, remedy: 'fix-setup' })
  }
}
