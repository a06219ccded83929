import type { Life, Scheduler } from '../Scheduler.ts'

/** What a process waits for and since when, for the watchdog. */
export type Wait = { readonly what: string | (() => string); readonly sinceMs: number }

/** What one node asks another; `sizeBytes` is what it takes on the wire. */
export type Reply = { readonly body: unknown; readonly sizeBytes: number }

export type ProcessHooks = {
  readonly scheduler: Scheduler
  /** Sees each await before anything of it happens; may kill the process. */
  readonly onAwait: (process: Process, count: number) => void
  readonly onEscape: (process: Process, error: unknown) => void
}

/**
 * A node between start and crash. Whatever it awaits goes through `wait`, so that there is one place where it can be killed and one
 * list of what it waits for. After a crash no await of it ever comes back: its memory is gone, its disk stays.
 */
export class Process {
  readonly node: number
  readonly life: Life = { isAlive: true }
  readonly waits = new Map<number, Wait>()
  /** What it answers to others; nothing until its behaviour says so. */
  answer: (from: number, request: unknown) => Promise<Reply | undefined> = async () => undefined
  #hooks: ProcessHooks
  #count = 0

  constructor(node: number, hooks: ProcessHooks) {
    this.node = node
    this.#hooks = hooks
  }

  get nowMs(): number {
    return this.#hooks.scheduler.nowMs
  }

  kill(): void {
    this.life.isAlive = false
    this.waits.clear()
  }

  /** Waits until `start`'s resolve is called; never comes back in a process that is dead by then. */
  wait<T>(what: Wait['what'], start: (resolve: (value: T) => void) => void): Promise<T> {
    const id = this.#count++
    return new Promise((resolve) => {
      if (!this.life.isAlive) return
      this.#hooks.onAwait(this, id)
      if (!this.life.isAlive) return
      this.waits.set(id, { what, sinceMs: this.nowMs })
      start((value) => {
        if (!this.life.isAlive || !this.waits.delete(id)) return
        resolve(value)
      })
    })
  }

  sleep(ms: number, what: Wait['what']): Promise<void> {
    return this.wait(what, (resolve) => this.#hooks.scheduler.after(ms, this.life, () => resolve()))
  }

  /** Lets something run beside the rest; what it throws ends up with the run's findings. */
  spawn(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#hooks.onEscape(this, error))
  }
}
