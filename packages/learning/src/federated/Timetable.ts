import { PotluckError } from '@potluck/protocol'

export type Arrival = {
  readonly client: number
  /** Of this client, from 1. */
  readonly task: number
  /** Number of the model it started from. */
  readonly version: number
}

/**
 * Who delivers when, if everybody trains at a speed of its own and fetches the newest model after each delivery (simulated time).
 * Deliveries of one moment come before the fetches of that moment.
 */
export class Timetable {
  readonly #durations: readonly number[]
  readonly #dueAt: number[]
  readonly #tasks: number[]
  readonly #versions: number[]
  #now = 0
  #fetching: number[] = []

  /** @param durations of one task of each client, above 0, in any unit */
  constructor(durations: readonly number[]) {
    const bad = durations.find((duration) => !(duration > 0 && duration < 1e9))
    if (bad !== undefined || durations.length === 0) {
      throw new PotluckError('BAD_FEDERATION', `durations must be above 0 and below 10^9, got ${bad ?? 'none'}`, {
        field: 'durations',
      })
    }
    this.#durations = durations
    this.#dueAt = [...durations]
    this.#tasks = durations.map(() => 1)
    this.#versions = durations.map(() => 0)
  }

  /**
   * The next delivery; of two at once, that of the lower number. Its client fetches when the moment is over.
   *
   * @param newest number of the model that is there to be fetched
   */
  next(newest: number): Arrival {
    let client = this.#earliest()
    if (client === undefined || this.#dueAt[client]! > this.#now) {
      this.#startAgain(newest)
      client = this.#earliest()!
    }
    this.#now = this.#dueAt[client]!
    this.#fetching.push(client)
    return { client, task: this.#tasks[client]!, version: this.#versions[client]! }
  }

  /** Numbers of the models that somebody trains from. */
  versions(): ReadonlySet<number> {
    return new Set(this.#versions.filter((_, client) => !this.#fetching.includes(client)))
  }

  #earliest(): number | undefined {
    let client: number | undefined
    this.#dueAt.forEach((due, i) => {
      if (!this.#fetching.includes(i) && (client === undefined || due < this.#dueAt[client]!)) client = i
    })
    return client
  }

  #startAgain(newest: number): void {
    for (const client of this.#fetching) {
      this.#dueAt[client] = this.#now + this.#durations[client]!
      this.#tasks[client]!++
      this.#versions[client] = newest
    }
    this.#fetching = []
  }
}
