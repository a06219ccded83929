/** Gossip and block transfers between nodes: late, lost, twice, or not at all while the network is split. */
import { type Hex, type Kind, type Opened, openMessage, recoverSigner } from '@potluck/protocol'
import type { Draws } from './Draws.ts'
import type { Life, Scheduler } from './Scheduler.ts'

export type Weather = { lossPart: number; twicePart: number; latePart: number }

type Station = { life: Life; receive: (bytes: Uint8Array) => void }

/** Far below the age limit of messages, so that a verdict once reached still holds. */
const FRESH_MS = 20_000

export class Links {
  /** Everything anybody ever published, in order. */
  readonly published: { node: number; bytes: Uint8Array }[] = []
  #scheduler: Scheduler
  #draws: Draws
  #weather: Weather
  #stations = new Map<number, Station>()
  #sideOf: ((node: number) => number) | undefined
  #opened = new WeakMap<Uint8Array, Opened>()
  #published = 0
  #onPublish: (node: number, kind: Kind) => void

  constructor(
    scheduler: Scheduler,
    draws: Draws,
    weather: Weather,
    onPublish: (node: number, kind: Kind) => void = () => undefined,
  ) {
    this.#scheduler = scheduler
    this.#draws = draws
    this.#weather = weather
    this.#onPublish = onPublish
  }

  /** Brings a node on line; a crashed one is left out by its life. */
  attach(node: number, life: Life, receive: (bytes: Uint8Array) => void): void {
    this.#stations.set(node, { life, receive })
  }

  /** Cuts the network into sides until the next call; undefined heals it. */
  split(sideOf: ((node: number) => number) | undefined): void {
    this.#sideOf = sideOf
  }

  canReach(from: number, to: number): boolean {
    const isUp = this.#stations.get(to)?.life.isAlive === true
    return isUp && (!this.#sideOf || this.#sideOf(from) === this.#sideOf(to))
  }

  /** Milliseconds of one way. */
  latencyMs(): number {
    return this.#draws.between(10, 90)
  }

  /**
   * One message to everybody. `key` is the sender's: what its own code has just sealed is checked in one case of sixteen, or half
   * of a simulation would be elliptic curves. Everything else that a node hears is checked for real.
   */
  publish(network: string, from: number, key: Hex, bytes: Uint8Array): void {
    this.published.push({ node: from, bytes })
    const recover = this.#published++ % 16 === 0 ? recoverSigner : () => key
    const opened = openMessage(network, bytes, this.#scheduler.nowMs, recover)
    this.#opened.set(bytes, opened)
    if (opened.ok) this.#onPublish(from, opened.message.kind)
    for (const to of this.#stations.keys()) if (to !== from) this.send(from, to, bytes)
  }

  /** One message over one link, with whatever happens to it on the way. */
  send(from: number, to: number, bytes: Uint8Array): void {
    const { lossPart, twicePart, latePart } = this.#weather
    if (!this.canReach(from, to) || this.#draws.happens(lossPart)) return
    const copies = this.#draws.happens(twicePart) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const lateMs = this.#draws.happens(latePart) ? this.#draws.between(500, 4_000) : 0
      this.deliver(to, bytes, this.latencyMs() + lateMs)
    }
  }

  deliver(to: number, bytes: Uint8Array, delayMs: number): void {
    const station = this.#stations.get(to)
    if (station) this.#scheduler.after(delayMs, station.life, () => station.receive(bytes))
  }

  /** What a published message said, however long ago. */
  read(bytes: Uint8Array): Opened | undefined {
    return this.#opened.get(bytes)
  }

  /** `openMessage`, computed once for what was published: twenty nodes get the same bytes. */
  readonly open = (network: string, bytes: Uint8Array, nowMs: number): Opened => {
    const known = this.#opened.get(bytes)
    if (known?.ok && Math.abs(nowMs - known.message.atMs) < FRESH_MS) return known
    return openMessage(network, bytes, nowMs)
  }
}
