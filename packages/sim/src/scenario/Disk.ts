import type { Draws } from '../Draws.ts'
import type { Process } from './Process.ts'

/** Names a kind of record, and its type. */
export type Slot<T> = { readonly name: string; readonly holds?: T }

export type Write = { readonly key: string; readonly value: unknown; readonly sizeBytes: number }

export const write = <T>(slot: Slot<T>, id: string | number, value: T, sizeBytes: number): Write => ({
  key: `${slot.name}/${id}`,
  value,
  sizeBytes,
})

/**
 * What survives a crash: everything that was synced, and each batch of writes that was not with a chance of a half, whole or not at
 * all. Records are shared, not copied: nobody changes one.
 */
export class Disk {
  written = 0
  fsyncs = 0
  #durable = new Map<string, unknown>()
  #pending: (readonly Write[])[] = []
  #pendingBytes = 0
  #speed: { fsyncMs: number; megabytesPerSecond: number }

  constructor(speed: { fsyncMs: number; megabytesPerSecond: number }) {
    this.#speed = speed
  }

  /** One batch, which survives as a whole. Not safe before `sync`. */
  put(...batch: readonly Write[]): void {
    this.#pending.push(batch)
    for (const { sizeBytes } of batch) this.#pendingBytes += sizeBytes
  }

  /** Comes back when all that was put before stands for good. */
  async sync(process: Process): Promise<void> {
    const batches = this.#pending.length
    const bytes = this.#pendingBytes
    const ms = this.#speed.fsyncMs + bytes / (1_000 * this.#speed.megabytesPerSecond)
    await process.sleep(ms, 'its own disk')
    this.fsyncs++
    this.written += bytes
    this.#pendingBytes -= bytes
    for (const batch of this.#pending.splice(0, batches)) this.#settle(batch)
  }

  /** As the running process sees it: what it put is there at once. */
  get<T>(slot: Slot<T>, id: string | number): T | undefined {
    const key = `${slot.name}/${id}`
    for (let i = this.#pending.length - 1; i >= 0; i--)
      for (const one of this.#pending[i] ?? []) if (one.key === key) return one.value as T
    return this.#durable.get(key) as T | undefined
  }

  all<T>(slot: Slot<T>): T[] {
    const found = new Map<string, unknown>()
    const prefix = `${slot.name}/`
    for (const [key, value] of this.#durable) if (key.startsWith(prefix)) found.set(key, value)
    for (const batch of this.#pending)
      for (const { key, value } of batch) if (key.startsWith(prefix)) found.set(key, value)
    return [...found.values()] as T[]
  }

  remove<T>(slot: Slot<T>, id: string | number): void {
    this.#durable.delete(`${slot.name}/${id}`)
  }

  crash(draws: Draws): void {
    for (const batch of this.#pending) if (draws.happens(0.5)) this.#settle(batch)
    this.#pending = []
    this.#pendingBytes = 0
  }

  #settle(batch: readonly Write[]): void {
    for (const { key, value } of batch) this.#durable.set(key, value)
  }
}
