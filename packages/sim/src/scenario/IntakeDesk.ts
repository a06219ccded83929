import type { Changes } from './Changes.ts'
import type { OpenedDelivery } from './Delivery.ts'
import type { Word } from './DeliveryOrder.ts'
import { write } from './Disk.ts'
import type { DeliverAnswer } from './deliver.ts'
import { judgeBuffered, judgeInRounds, pieceKey, type Verdict } from './judgeDelivery.ts'
import type { Process, Reply } from './Process.ts'
import { type Receipt, receiptBytes, signReceipts } from './Receipts.ts'
import type { Round, SetEntry } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

type Held = { readonly id: string; readonly key: string; readonly bytes: Uint8Array; readonly arrivedMs: number }
type Queued = { readonly held: Held; readonly done: (receipt: Receipt) => void }

const frames = { name: 'frame' } as { readonly name: string; readonly holds?: Held }
const lists = { name: 'list' } as { readonly name: string; readonly holds?: ClosedList }

export type ClosedList = { readonly round: number; readonly entries: readonly SetEntry[] }

/** Deliveries that come within this time share one sync and one signature. */
const GATHER_MS = 250

/**
 * Where a keeper takes deliveries: judges them, puts them on disk many at a time, signs for them. A delivery is signed for only when it
 * is safe and will stand in the keeper's list of this round or the next. While a list is closed and the set not yet fixed, deliveries wait:
 * what was promised then could end up in no set, or in two.
 */
export class IntakeDesk {
  readonly changes: Changes
  readonly cluster: number
  /** Rounds whose list another keeper has asked for. */
  readonly nudged = new Set<number>()
  #world: ScenarioWorld
  #machine: SimMachine
  #process: Process
  #held = new Map<string, Held>()
  #byKey = new Map<string, string>()
  #counts = new Map<number, number>()
  #receipts = new Map<string, Receipt>()
  /** Ids of what is on disk for good and was taken here. */
  #safe = new Set<string>()
  #queue: Queued[] = []
  #isSyncing = false
  #closing = new Set<number>()

  constructor(world: ScenarioWorld, machine: SimMachine, process: Process) {
    this.#world = world
    this.#machine = machine
    this.#process = process
    this.changes = world.changes()
    this.cluster = world.clusters.clusterOf(machine.node) ?? 0
    for (const held of machine.disk.all(frames)) {
      this.#remember(held)
      this.#safe.add(held.id)
    }
  }

  /** Writes what has come in, one sync for all that waits. */
  async run(): Promise<void> {
    const { disk, secret } = this.#machine
    for (;;) {
      await this.changes.until(this.#process, 'deliveries to write', () => this.#queue.length > 0 || undefined)
      await this.#process.sleep(GATHER_MS, 'deliveries to write')
      this.#isSyncing = true
      const batch = this.#queue.splice(0)
      disk.put(...batch.map(({ held }) => write(frames, held.id, held, held.bytes.length)))
      await disk.sync(this.#process)
      const receipts = signReceipts(
        batch.map(({ held }) => held.id),
        secret,
      )
      batch.forEach(({ held, done }, i) => {
        const receipt = receipts[i] as Receipt
        this.#receipts.set(held.id, receipt)
        this.#safe.add(held.id)
        done(receipt)
      })
      this.#isSyncing = false
      this.changes.notify()
    }
  }

  /** The answer to a delivery: a receipt once it is safe, or why not. */
  async take(bytes: Uint8Array): Promise<Reply> {
    const opened = this.#world.deliveries.open(bytes)
    if (!opened.ok) return this.#refuse(opened.why)
    const { delivery } = opened
    for (;;) {
      const verdict = this.#judge(delivery)
      if (verdict.kind === 'refuse') return this.#refuse(verdict.why)
      if (verdict.kind === 'take') break
      const { round } = verdict
      await this.#world.chain.watch(this.#process, `the set of round ${round.number}`, () =>
        this.#world.chain.setOf(round, this.#machine.node),
      )
    }
    const known = this.#receipts.get(delivery.id)
    const receipt = known ?? (await this.#store(delivery, bytes))
    const body: DeliverAnswer = { receipt }
    return { body, sizeBytes: receiptBytes(receipt) }
  }

  holds = (id: string): boolean => this.#held.has(id)
  bytesOf = (id: string): Uint8Array => this.#held.get(id)?.bytes ?? new Uint8Array(0)
  idOf = (key: string): string | undefined => this.#byKey.get(key)
  arrivalOf = (key: string): number | undefined => this.#held.get(this.#byKey.get(key) ?? '')?.arrivedMs

  deliveryOf(id: string): OpenedDelivery {
    const opened = this.#world.deliveries.open(this.bytesOf(id))
    if (!opened.ok) throw new Error(`a delivery that was taken cannot be read: ${opened.why}`)
    return opened.delivery
  }

  factsOf(id: string): OpenedDelivery & { readonly key: string; readonly arrivedMs: number } {
    const delivery = this.deliveryOf(id)
    return { ...delivery, key: pieceKey(delivery), arrivedMs: this.#held.get(id)?.arrivedMs ?? 0 }
  }

  /** Pieces of a round that are here. */
  countOf = (round: number): number => this.#counts.get(round) ?? 0

  missingOf({ number, tasks }: Round): { share: number; piece: number; worker: number }[] {
    const own = tasks.filter(({ share }) => this.#world.clusters.clusterOf(share) === this.cluster)
    const last = new Map(own.map((task) => [task.share, task]))
    return [...last.values()].flatMap(({ share, count, worker }) =>
      Array.from({ length: count }, (_, piece) => ({ share, piece, worker })).filter(
        ({ piece }) => !this.#byKey.has(`${number}/${share}/${piece}`),
      ),
    )
  }

  /** What is on disk here and has no place in the order yet, and this keeper has not said so (L-72). */
  unsaidWords(): Word[] {
    const { order } = this.#world.chain
    const isUnsaid = ({ id }: Held): boolean =>
      this.#safe.has(id) && !order?.placeOf.has(id) && !order?.hasWord(this.#machine.node, id)
    return [...this.#held.values()]
      .filter((held) => isUnsaid(held) && this.#byKey.get(held.key) === held.id)
      .map(({ id, key }) => ({ id, key, base: Number(key.split('/')[0]) - 1 }))
  }

  /** Whether nothing new goes into the list of this round. */
  isClosed = (round: number): boolean => this.#closing.has(round) || this.listOf(round) !== undefined

  listOf = (round: number): ClosedList | undefined => this.#machine.disk.get(lists, round)

  /** From here on nothing new goes into the list of this round. Comes back when the list is safe. */
  async close(round: Round): Promise<void> {
    if (this.listOf(round.number)) return
    this.#closing.add(round.number)
    const isIdle = (): true | undefined => (this.#queue.length === 0 && !this.#isSyncing) || undefined
    await this.changes.until(this.#process, 'deliveries being written', isIdle)
    const { included, idOf } = this.#world.chain
    const entries = [...this.#held.values()]
      .filter(({ id, key }) => {
        const of = Number(key.split('/')[0])
        return (of === round.number || of === round.number - 1) && !included.has(id) && !idOf.has(key)
      })
      .map(({ id, key }) => ({ id, key }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    const { disk } = this.#machine
    disk.put(write(lists, round.number, { round: round.number, entries }, 64 + 40 * entries.length))
    await disk.sync(this.#process)
    this.#sealed.set(round.number, { round: round.number, entries })
    this.changes.notify()
  }
  #sealed = new Map<number, ClosedList>()

  /** The list of a round once it is safe, here or from before a crash. */
  sealedListOf(round: number): ClosedList | undefined {
    return this.#sealed.get(round) ?? (this.#closing.has(round) ? undefined : this.listOf(round))
  }

  /** Takes over what another keeper has taken, as long as the list of its round is open. */
  adopt(bytes: Uint8Array, round: Round): void {
    const opened = this.#world.deliveries.open(bytes)
    if (!opened.ok || this.#closing.has(round.number) || this.listOf(round.number)) return
    const { delivery } = opened
    const key = pieceKey(delivery)
    if (delivery.round !== round.number || this.#byKey.has(key) || this.#world.chain.idOf.has(key)) return
    const held: Held = { id: delivery.id, key, bytes, arrivedMs: this.#process.nowMs }
    this.#machine.disk.put(write(frames, held.id, held, bytes.length))
    this.#remember(held)
    this.changes.notify()
  }

  /** Keeps a delivery of a fixed set that came from another keeper. Nothing is signed for it. */
  keepFetched(bytes: Uint8Array, wanted: readonly string[]): void {
    const opened = this.#world.deliveries.open(bytes)
    if (!opened.ok || !wanted.includes(opened.delivery.id)) return
    const { id } = opened.delivery
    const held: Held = { id, key: pieceKey(opened.delivery), bytes, arrivedMs: this.#process.nowMs }
    this.#machine.disk.put(write(frames, id, held, bytes.length))
    this.#held.set(id, held)
  }

  /** Drops what no round needs any more. */
  forget(before: number): void {
    for (const { id, key } of this.#held.values()) {
      if (Number(key.split('/')[0]) >= before) continue
      this.#held.delete(id)
      this.#byKey.delete(key)
      this.#receipts.delete(id)
      this.#safe.delete(id)
      this.#machine.disk.remove(frames, id)
    }
  }

  #store(delivery: OpenedDelivery, bytes: Uint8Array): Promise<Receipt> {
    const waiting = this.#queue.find(({ held }) => held.id === delivery.id)
    const held = waiting?.held ?? { id: delivery.id, key: pieceKey(delivery), bytes, arrivedMs: this.#process.nowMs }
    this.#remember(held)
    return this.#process.wait(`piece ${held.key} to be on its own disk`, (done) => {
      this.#queue.push({ held, done })
      this.changes.notify()
    })
  }

  #remember(held: Held): void {
    const round = Number(held.key.split('/')[0])
    if (!this.#byKey.has(held.key)) this.#counts.set(round, this.countOf(round) + 1)
    this.#held.set(held.id, held)
    this.#byKey.set(held.key, held.id)
  }

  #judge(delivery: OpenedDelivery): Verdict {
    const world = this.#world
    return world.scenario.buffered
      ? judgeBuffered(world, this, delivery)
      : judgeInRounds(world, this.#machine, this, delivery)
  }

  #refuse(refused: string): Reply {
    this.#world.ledger.refuse(refused)
    return { body: { refused }, sizeBytes: 20 + refused.length }
  }
}
