import { PotluckError } from '@potluck/protocol'
import type { ScenarioWorld } from './ScenarioWorld.ts'

/** Events without any time passing: some node goes round in circles. */
const MOST_AT_ONCE = 2_000_000

/** Ends a run that gets nowhere, and says who waits for what. */
export class Watchdog {
  #world: ScenarioWorld
  #realNowMs: () => number
  #startedMs: number
  #lastMs = -1
  #atOnce = 0
  #looks = 0

  constructor(world: ScenarioWorld, realNowMs: () => number) {
    this.#world = world
    this.#realNowMs = realNowMs
    this.#startedMs = realNowMs()
  }

  /** @throws PotluckError STUCK when a limit is passed */
  look(): void {
    const { scenario, scheduler, chain } = this.#world
    const { nowMs } = scheduler
    const { idleMs, simulatedMs, realMs } = scenario.limits
    this.#atOnce = nowMs === this.#lastMs ? this.#atOnce + 1 : 0
    this.#lastMs = nowMs
    if (this.#atOnce > MOST_AT_ONCE) throw this.stuck(`${MOST_AT_ONCE} events without any time passing`)
    if (nowMs - chain.progressMs > idleMs)
      throw this.stuck(`nothing was delivered, fixed or computed for ${seconds(nowMs - chain.progressMs)}`)
    if (nowMs > simulatedMs) throw this.stuck(`the limit of ${seconds(simulatedMs)} simulated time is over`)
    // The clock is asked once in a while only: a run is 10^5 events.
    if (++this.#looks % 64 === 0 && this.#realNowMs() - this.#startedMs > realMs)
      throw this.stuck(`the limit of ${seconds(realMs)} real time is over`)
  }

  stuck(why: string): PotluckError {
    const { scenario, chain, scheduler } = this.#world
    const { name, seed, rounds } = scenario
    const round = chain.current?.number ?? 0
    const waits = whoWaits(this.#world)
    return new PotluckError(
      'STUCK',
      `${name}, seed ${seed}: ${why}, in round ${round} of ${rounds} at ${seconds(scheduler.nowMs)}. ${waits.join('; ')}. Replay it with --seed ${seed}.`,
      { seed, round, simulatedMs: Math.round(scheduler.nowMs), waits: waits.join('; ') },
      { remedy: 'give-up' },
    )
  }
}

const MOST_LINES = 12
const MOST_NAMES = 6

/** One line for each thing waited for, the one that has been waited for longest first: `keepers 0, 1 wait for … (since 3.2 s)`. */
export function whoWaits(world: ScenarioWorld): string[] {
  const { machines, scheduler } = world
  const groups = new Map<string, { sinceMs: number; who: Map<string, Set<number>> }>()
  const down = new Map<string, Set<number>>()
  for (const { kind, node, process } of machines) {
    if (!process?.life.isAlive) {
      down.set(kind, (down.get(kind) ?? new Set()).add(node))
      continue
    }
    for (const { what, sinceMs } of process.waits.values()) {
      const text = typeof what === 'string' ? what : what()
      const group = groups.get(text) ?? { sinceMs, who: new Map<string, Set<number>>() }
      group.sinceMs = Math.min(group.sinceMs, sinceMs)
      group.who.set(kind, (group.who.get(kind) ?? new Set()).add(node))
      groups.set(text, group)
    }
  }
  const lines = [...groups]
    // Every keeper always waits for these: that is no news.
    .filter(([what]) => what !== 'deliveries to write' && what !== 'deliveries to put in order')
    .sort(([, a], [, b]) => a.sinceMs - b.sinceMs)
    .map(([what, { sinceMs, who }]) => {
      const since = seconds(scheduler.nowMs - sinceMs)
      return `${names(who)} ${isOne(who) ? 'waits' : 'wait'} for ${what} (${since})`
    })
  const rest = lines.length - MOST_LINES
  const shown = rest > 0 ? [...lines.slice(0, MOST_LINES), `${rest} more waits`] : lines
  return down.size > 0 ? [...shown, `${names(down)} ${isOne(down) ? 'is' : 'are'} down`] : shown
}

type Who = ReadonlyMap<string, ReadonlySet<number>>

const isOne = (who: Who): boolean => [...who.values()].reduce((sum, { size }) => sum + size, 0) === 1

/** `keepers 0, 2 and worker 7`; of many the first few. */
const names = (who: Who): string =>
  [...who]
    .map(([kind, nodes]) => {
      const few = [...nodes].slice(0, MOST_NAMES).join(', ')
      const more = nodes.size > MOST_NAMES ? ` and ${nodes.size - MOST_NAMES} more` : ''
      return `${kind}${nodes.size > 1 ? 's' : ''} ${few}${more}`
    })
    .join(' and ')

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
