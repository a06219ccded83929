import type { Body, Hex, Kind, Received } from '@potluck/protocol'

/** A message whose sender was found in the registry: `node` is its cold address. */
export type Known<K extends Kind = Kind> = Extract<Received, { kind: K }> & { node: Hex; seenMs: number }

/** What one sender may keep in one round: far above what any role needs, far below what would hurt. */
const MAX_PER_SENDER = 600
/** Rounds remembered besides the newest of a job. */
const ROUNDS_KEPT = 2

type RoundKinds = Exclude<Kind, 'hello' | 'receipts'>

/** What tells two messages of one kind, sender and round apart. */
function slotOf(kind: RoundKinds, body: Body<RoundKinds>): string {
  const { share = '', step = '', attempt = '', claim = '', setRoot = '' } = body as Record<string, unknown>
  const claimKey = typeof claim === 'object' ? (claim as { share: number }).share : claim
  return kind === 'maskKey' || kind === 'masked' ? `${step}/${attempt}` : `${share}/${claimKey}/${setRoot}`
}

/**
 * What this node has heard about the rounds of its jobs. In memory: after a restart the others say it again.
 *
 * The newest message of a slot replaces the older one, but a commit, once made, stands (P-43).
 */
export class Inbox {
  #messages = new Map<string, Known>()
  #perSender = new Map<string, number>()
  #newest = new Map<number, number>()

  /** Returns false when the message was not new or has no place. */
  add(message: Known): boolean {
    if (message.kind === 'hello' || message.kind === 'receipts') return false
    const { job, round } = message.body
    if (round < (this.#newest.get(job) ?? 0) - ROUNDS_KEPT) return false
    const key = `${job}/${round}/${message.kind}/${message.node}/${slotOf(message.kind, message.body)}`
    const before = this.#messages.get(key)
    if (before && (message.kind === 'commit' || before.atMs >= message.atMs)) return false
    if (!before) {
      const sender = `${job}/${round}/${message.node}`
      const count = this.#perSender.get(sender) ?? 0
      if (count >= MAX_PER_SENDER) return false
      this.#perSender.set(sender, count + 1)
    }
    this.#messages.set(key, message)
    return true
  }

  /** All messages of a kind in a round, in order of arrival of their slot. */
  of<K extends RoundKinds>(kind: K, job: number, round: number): Known<K>[] {
    const prefix = `${job}/${round}/${kind}/`
    const found: Known<K>[] = []
    for (const [key, message] of this.#messages) if (key.startsWith(prefix)) found.push(message as Known<K>)
    return found
  }

  /** Forgets rounds long past. Called when a job enters `round`. */
  enter(job: number, round: number): void {
    if (this.#newest.get(job) === round) return
    this.#newest.set(job, round)
    const isOld = (key: string): boolean => {
      const [j, r] = key.split('/')
      return Number(j) === job && Number(r) < round - ROUNDS_KEPT
    }
    for (const key of this.#messages.keys()) if (isOld(key)) this.#messages.delete(key)
    for (const key of this.#perSender.keys()) if (isOld(key)) this.#perSender.delete(key)
  }
}
