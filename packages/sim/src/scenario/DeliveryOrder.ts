import { holdersNeeded } from '@potluck/learning'
import type { SetEntry } from './RoundChain.ts'

/** What a keeper says of a delivery that it has on disk: the piece of work, and the number of the model that it was trained from. */
export type Word = SetEntry & { readonly base: number }

/** What became of a delivery: in this model, too old when its turn came, or behind the last model. */
export type Place = number | 'stale' | 'behind'

export type Buffering = {
  /** Deliveries that make a model. */
  readonly size: number
  /** Models made since a delivery's base, at most. */
  readonly staleness: number
}

/**
 * The order of deliveries without rounds (L-72, S-15), as all agree on it: a delivery takes its place when more than two thirds of the keepers
 * have said that it is on their disks. A keeper says so of one delivery for a piece, so that of two for one piece at most one gets a place.
 */
export class DeliveryOrder {
  /** Models that all deliveries are there for; the one being filled is the next. */
  filled = 0
  readonly placeOf = new Map<string, Place>()
  #buffering: Buffering
  #models: number
  #needed: number
  /** Keepers whose word counts, by id; what each said, by keeper and piece; all that was ever said, by keeper and id. */
  #words = new Map<string, Set<number>>()
  #said = new Map<string, string>()
  #heard = new Set<string>()
  #keys = new Set<string>()
  #steps: SetEntry[][] = [[]]

  constructor(buffering: Buffering, models: number, keepers: number) {
    this.#buffering = buffering
    this.#models = models
    this.#needed = holdersNeeded(keepers)
  }

  /** The deliveries that make a model, in order; undefined before all are there. Models count from 1. */
  stepOf(model: number): readonly SetEntry[] | undefined {
    return model <= this.filled ? this.#steps[model - 1] : undefined
  }

  /** Deliveries still missing for a model. */
  missingFor = (model: number): number => this.#buffering.size - (this.#steps[model - 1]?.length ?? 0)

  hasWord = (keeper: number, id: string): boolean => this.#heard.has(`${keeper}/${id}`)

  isStale = (base: number): boolean => this.filled - base > this.#buffering.staleness

  /** Returns whether anything got a place. */
  attest(keeper: number, words: readonly Word[]): boolean {
    const before = this.placeOf.size
    for (const word of words) {
      const { id, key } = word
      this.#heard.add(`${keeper}/${id}`)
      const slot = `${keeper}/${key}`
      if (this.placeOf.has(id) || (this.#said.get(slot) ?? id) !== id) continue
      this.#said.set(slot, id)
      const keepers = this.#words.get(id) ?? new Set<number>()
      this.#words.set(id, keepers.add(keeper))
      if (keepers.size >= this.#needed && !this.#keys.has(key)) this.#place(word)
    }
    return this.placeOf.size > before
  }

  #place({ id, key, base }: Word): void {
    this.#keys.add(key)
    const model = this.filled + 1
    if (model > this.#models) this.placeOf.set(id, 'behind')
    else if (this.isStale(base)) this.placeOf.set(id, 'stale')
    else {
      const step = this.#steps[this.filled] as SetEntry[]
      step.push({ id, key })
      this.placeOf.set(id, model)
      if (step.length < this.#buffering.size) return
      this.filled = model
      this.#steps.push([])
    }
  }
}
