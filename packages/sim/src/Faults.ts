/** What goes wrong in one seed. Everything heals in the end, so a job that is not done afterwards is a bug. */
import type { Kind } from '@potluck/protocol'
import type { Draws } from './Draws.ts'
import type { Weather } from './Links.ts'
import { FIRST_KEEPER, FIRST_VALIDATOR, NODES, VALIDATORS, WORKERS } from './nodePlans.ts'

/** `bent`: a real message with one bit changed; `foreign`: of another network; `forged`: signed by a member, false inside. */
export const garbageKinds = ['noise', 'oversized', 'bent', 'foreign', 'stranger', 'old', 'forged'] as const
export type Garbage = (typeof garbageKinds)[number]

export type Faults = {
  weather: Weather
  /** Works a quarter of its steps and claims them all. */
  liar: number | undefined
  /** Validator that proposes results with one wrong weight, and disputes right ones. */
  twister: number | undefined
  /** Claims the first update it sees as its own. */
  copycat: number | undefined
  /** Validator that keeps its share of the beacon to itself. */
  silent: number | undefined
  /** Serves blocks with a changed bit. */
  spoiler: number | undefined
  /** Works honestly, beats, and takes so long for a step. */
  slow: { node: number; stepMs: number } | undefined
  /** At random moments. */
  crashes: { node: number; afterMs: number; downMs: number }[]
  /** Right after the `nth` message of this kind by anybody, who said it falls over. */
  crashAfterSaying: { kind: Kind; nth: number; afterMs: number; downMs: number }[]
  /** Right after the beacon, the validator whose turn it is falls over. */
  proposerCrashMs: number | undefined
  splits: { afterMs: number; forMs: number; side: number[] }[]
  /** Chain endpoints that answer nothing for a while. */
  gaps: { node: number; afterMs: number; forMs: number }[]
  /** Garbage thrown at somebody. */
  garbage: { node: number; afterMs: number; kind: Garbage }[]
}

/** Faults start within this time. */
const SPAN_MS = 25_000

const some = <T>(draws: Draws, most: number, make: () => T): T[] =>
  Array.from({ length: draws.between(0, most) }, () => make())

export function drawFaults(draws: Draws): Faults {
  const anyone = (): number => draws.between(0, NODES - 1)
  const downMs = (): number => draws.between(500, 8_000)
  const afterMs = (): number => draws.between(0, SPAN_MS)
  const maybe = (part: number, from: number, count: number): number | undefined =>
    draws.happens(part) ? draws.between(from, from + count - 1) : undefined
  const liar = maybe(0.6, 0, WORKERS)
  const copycat = maybe(0.3, 0, WORKERS)
  const kinds: Kind[] = ['close', 'set', 'commit', 'claim', 'attest', 'audit', 'maskKey', 'masked', 'beat']
  return {
    weather: {
      lossPart: draws.pick([0, 0.02, 0.1, 0.25]),
      twicePart: draws.pick([0, 0.05, 0.2]),
      latePart: draws.pick([0, 0.02, 0.1]),
    },
    liar,
    // Never in bad weather: who is cut off for as long as a result can be challenged cannot object to it.
    twister: undefined,
    copycat: copycat === liar ? undefined : copycat,
    silent: maybe(0.3, FIRST_VALIDATOR, VALIDATORS),
    spoiler: maybe(0.3, FIRST_KEEPER, 5),
    crashes: some(draws, 4, () => ({ node: anyone(), afterMs: afterMs(), downMs: downMs() })),
    crashAfterSaying: some(draws, 2, () => ({
      kind: draws.pick(kinds),
      nth: draws.between(1, 8),
      afterMs: draws.between(0, 400),
      downMs: downMs(),
    })),
    proposerCrashMs: draws.happens(0.3) ? downMs() : undefined,
    splits: some(draws, 1, () => ({
      afterMs: afterMs(),
      forMs: draws.between(1_000, 12_000),
      side: Array.from({ length: NODES }, () => draws.between(0, 1)),
    })),
    gaps: some(draws, 2, () => ({ node: anyone(), afterMs: afterMs(), forMs: draws.between(500, 6_000) })),
    garbage: some(draws, 6, () => ({
      node: anyone(),
      afterMs: afterMs(),
      kind: draws.pick(garbageKinds),
    })),
    slow: draws.happens(0.3) ? { node: draws.between(0, WORKERS - 1), stepMs: draws.between(500, 3_000) } : undefined,
  }
}

export const noFaults = (): Faults => ({
  weather: { lossPart: 0, twicePart: 0, latePart: 0 },
  liar: undefined,
  twister: undefined,
  copycat: undefined,
  silent: undefined,
  spoiler: undefined,
  slow: undefined,
  crashes: [],
  crashAfterSaying: [],
  proposerCrashMs: undefined,
  splits: [],
  gaps: [],
  garbage: [],
})
