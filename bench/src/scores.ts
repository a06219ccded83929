/**
 * What measuring contributions adds to a validator's part of a round, and how far the windows drawn for it can be trusted: the demo's job,
 * round by round with the daemon's own program, with one worker more that sends noise of an honest update's size.
 */
import { readFileSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { initialParameters, RandomStream, vocabularyOf } from '@potluck/engine'
import { type MeasuredUpdate, packUpdate } from '@potluck/learning'
import { type AggregateResult, type AggregateTask, bytesOfFloats, floatsOf, languageProgram } from '@potluck/node'
import { type LanguageJob, sha256, toHex, utf8 } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import type { Row } from './Row.ts'

const ROUNDS = 7
const HONEST = 5
/** Windows a round as jobs have them unless they say otherwise, and the most there may be. */
const [USUAL, MOST] = [64, 1_024]
const file = new URL('../../data/tinyshakespeare/input.txt.gz', import.meta.url)

/** Times vary with what else the machine does. */
export const tolerance = 0.5

export async function run(): Promise<Row[]> {
  const text = gunzipSync(readFileSync(file)).toString('utf8')
  const cut = Math.floor(text.length * 0.9)
  const config = { vocabulary: vocabularyOf(text), context: 32, width: 64, layers: 2, heads: 4, hidden: 256 }
  const seed = sha256(utf8('potluck demo language job'))
  const engine = await createLocalEngine()
  const job: LanguageJob = {
    ...{ type: 'job', kind: 'language', name: 'scores', description: '', workSeconds: 45, silenceSeconds: 6 },
    ...{ trainCid: '', validCid: '', seed: toHex(seed), shares: HONEST + 1, encoding: 'dense4' },
    recipe: {
      ...{ config, batch: 16, steps: 40, learningRate: 0.012, weightDecay: 0.05, warmupSteps: 3 },
      ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, stateEverySteps: 20 },
    },
    audit: { gainPpm: 0, colludingPpm: 0, auditors: 1, saltPriceE18: 0n, newClaims: 0 },
  }
  const programOf = (more: Partial<LanguageJob>) =>
    languageProgram(engine, { ...job, ...more }, text.slice(0, cut), () => breathe(), text.slice(cut))
  const [plain, usual, most] = [programOf({}), programOf({ scoreWindows: USUAL }), programOf({ scoreWindows: MOST })]

  let state: Uint8Array = bytesOfFloats(initialParameters(config, seed))
  const costs = { training: [] as number[], plain: [] as number[], usual: [] as number[] }
  const [few, many] = [totals(), totals()]
  for (let round = 0; round < ROUNDS; round++) {
    const updates: { share: number; update: Uint8Array }[] = []
    for (let share = 0; share < HONEST; share++) {
      const [cpuMs, { update }] = await timed(() =>
        plain.work({ state, seed: sha256(utf8(`round ${round} share ${share}`)) }),
      )
      costs.training.push(cpuMs)
      updates.push({ share, update })
    }
    const honest = floatsOf(plain.tensorOf(updates[0]!.update))
    updates.push({ share: HONEST, update: packUpdate(noiseLike(honest, round), 'dense4') })
    const task: AggregateTask = { state, round, beacon: toHex(sha256(utf8(`beacon ${round}`))), updates }
    const [plainMs, next] = await timed(() => plain.aggregate(task))
    const [usualMs, scored] = await timed(() => usual.aggregate(task))
    costs.plain.push(plainMs)
    costs.usual.push(usualMs)
    few.add(scored)
    many.add(await most.aggregate(task))
    state = next.state
  }
  const added = median(costs.usual) - median(costs.plain)
  const lowest = (values: readonly number[]): number => Math.min(...values.slice(0, HONEST))
  const mean = many.values.slice(0, HONEST).reduce((sum, value) => sum + value, 0) / HONEST
  const apart = many.values.slice(0, HONEST).map((value, i) => Math.abs(few.values[i]! - value))
  return [
    row(`CPU of measuring contributions by ${USUAL} windows, a round`, added, 'ms', {
      ...{ rival: 'CPU of one share of the round', rivalValue: median(costs.training) },
      ratio: median(costs.training) / added,
    }),
    row(`CPU of the aggregate with contributions`, median(costs.usual), 'ms', {
      ...{ rival: 'without', rivalValue: median(costs.plain), ratio: median(costs.plain) / median(costs.usual) },
    }),
    row(
      `score of an honest worker over ${ROUNDS} rounds, by ${USUAL} windows a round: lowest`,
      lowest(few.values),
      'nats',
      {
        ...{ rival: 'score of a worker that sends noise', rivalValue: few.values[HONEST]!, ratio: null },
      },
    ),
    row(
      `such scores, mean difference from those by ${MOST} windows`,
      (100 * apart.reduce((a, b) => a + b)) / HONEST / mean,
      '%',
    ),
    row(
      'honest updates told to be alike or empty',
      few.found.slice(0, HONEST).reduce((a, b) => a + b),
      'updates',
    ),
  ]
}

/** Sums over rounds, by share. */
function totals() {
  const [values, found] = [new Array<number>(HONEST + 1).fill(0), new Array<number>(HONEST + 1).fill(0)]
  const isFound = ({ alike, isEmpty }: MeasuredUpdate): boolean => isEmpty || alike !== undefined
  return {
    values,
    found,
    add({ measured = [] }: AggregateResult): void {
      for (const one of measured) {
        values[one.share]! += one.value
        if (isFound(one)) found[one.share]! += 1
      }
    },
  }
}

/** Each element as large as the honest one, its sign drawn: a level of the same encoding. */
function noiseLike(honest: Float32Array, round: number): Float32Array {
  const random = new RandomStream(utf8(`noise ${round}`), 99, 0)
  return honest.map((x, j) => (random.word(j) % 2 === 0 ? x : -x))
}

async function timed<T>(work: () => Promise<T>): Promise<[cpuMs: number, result: T]> {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return [(user + system) / 1000, result]
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const row = (
  what: string,
  value: number,
  unit: string,
  beside: Pick<Row, 'rival' | 'rivalValue' | 'ratio'> = { rival: null, rivalValue: null, ratio: null },
): Row => ({ what, value, unit, ...beside })
