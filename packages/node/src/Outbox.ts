import { type Message, sealMessage } from '@potluck/protocol'
import type { Identity, Ports } from './Ports.ts'

/** Gossip loses messages and nodes restart: what still matters is said again, first after three seconds, then ever less often. */
const REPEAT_MS = 3_000
export const LONGEST_REPEAT_MS = 12_000

/** Messages this node stands by, said at once and repeated until they are dropped. */
export class Outbox {
  #ports: Pick<Ports, 'clock' | 'publish' | 'log'>
  #identity: Identity
  #network: string
  #echo: (message: Message, atMs: number) => void
  #standing = new Map<string, { message: Message; sentMs: number; everyMs: number }>()

  /** @param echo gossip does not bring a node its own messages, yet they count for it as for others */
  constructor(
    ports: Pick<Ports, 'clock' | 'publish' | 'log'>,
    identity: Identity,
    network: string,
    echo: (message: Message, atMs: number) => void,
  ) {
    this.#echo = echo
    this.#ports = ports
    this.#identity = identity
    this.#network = network
  }

  /** Says it once. */
  async say(message: Message): Promise<void> {
    const nowMs = this.#ports.clock.nowMs()
    const bytes = sealMessage(this.#network, message, nowMs, this.#identity.secret)
    this.#echo(message, nowMs)
    try {
      await this.#ports.publish(bytes)
    } catch (error) {
      // Nobody is connected yet, or we are stopping: what stands is said again.
      this.#ports.log('debug', 'not published', { kind: message.kind, why: String(error) })
    }
  }

  has(key: string): boolean {
    return this.#standing.has(key)
  }

  /** Says it now and goes on saying it. The same key again replaces the message. */
  async stand(key: string, message: Message): Promise<void> {
    this.#standing.set(key, { message, sentMs: this.#ports.clock.nowMs(), everyMs: REPEAT_MS })
    await this.say(message)
  }

  drop(prefix: string): void {
    for (const key of this.#standing.keys()) if (key.startsWith(prefix)) this.#standing.delete(key)
  }

  /** Says everything that is due again. */
  async repeat(): Promise<void> {
    const now = this.#ports.clock.nowMs()
    for (const entry of this.#standing.values()) {
      if (now - entry.sentMs < entry.everyMs) continue
      entry.sentMs = now
      entry.everyMs = Math.min(LONGEST_REPEAT_MS, 2 * entry.everyMs)
      await this.say(entry.message)
    }
  }
}
