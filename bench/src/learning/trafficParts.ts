/**
 * Results of the long parts of a benchmark, kept in a file, so that it can be run in slices: `bench/results/parts/NAME.json`, one entry
 * for each part under a key that holds all its settings. A changed setting is another part.
 *
 * POTLUCK_BENCH_SECONDS: no part is begun after so many; the run then fails with what is missing. Default: none is too late.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { PotluckError } from '@potluck/protocol'

const folder = new URL('../../results/parts/', import.meta.url)

export type Parts = {
  /** The result under this key, computed where there is none yet. */
  get<T>(key: string, compute: () => Promise<T>): Promise<T>
}

export function openParts(name: string): Parts {
  const file = new URL(`${name}.json`, folder)
  const known: Record<string, unknown> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const limitMs = 1000 * Number(process.env.POTLUCK_BENCH_SECONDS ?? Number.POSITIVE_INFINITY)
  const startMs = performance.now()
  return {
    async get<T>(key: string, compute: () => Promise<T>): Promise<T> {
      if (Object.hasOwn(known, key)) return known[key] as T
      if (performance.now() - startMs > limitMs) {
        const done = Object.keys(known).length
        throw new PotluckError('BENCH_UNFINISHED', `${done} parts are done, the next is ${key}; run it again to go on`)
      }
      const result = await compute()
      known[key] = result
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, `${JSON.stringify(known, null, 1)}\n`)
      console.error(`${((performance.now() - startMs) / 1000).toFixed(0)} s  ${key}  ${JSON.stringify(result)}`)
      return result
    },
  }
}
