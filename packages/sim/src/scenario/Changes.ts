import type { Scheduler } from '../Scheduler.ts'
import type { Process, Wait } from './Process.ts'

/** A thing that changes now and then, and those that wait for it to be in some state. */
export class Changes {
  #scheduler: Scheduler
  #delayMs: () => number
  /** Each says whether it is done with. */
  #waiters: (() => boolean)[] = []

  /** @param delayMs until a waiter learns of a change; 0 within one process */
  constructor(scheduler: Scheduler, delayMs: () => number = () => 0) {
    this.#scheduler = scheduler
    this.#delayMs = delayMs
  }

  notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    // A waiter may wait anew: it joins the list behind those that stay.
    this.#waiters.unshift(...waiters.filter((isDone) => !isDone()))
  }

  /** What `look` finds once it finds something; undefined when nothing was found by `untilMs`. */
  until<T>(process: Process, what: Wait['what'], look: () => T | undefined, untilMs?: number): Promise<T | undefined> {
    return process.wait(what, (resolve) => {
      let isOver = false
      const finish = (value: T | undefined): void => {
        isOver = true
        resolve(value)
      }
      const check = (): boolean => {
        if (isOver || !process.life.isAlive) return true
        const found = look()
        if (found === undefined) return false
        const delayMs = this.#delayMs()
        if (delayMs === 0) finish(found)
        else this.#scheduler.after(delayMs, process.life, () => finish(found))
        return true
      }
      if (!check()) this.#waiters.push(check)
      if (untilMs !== undefined && !isOver)
        this.#scheduler.after(untilMs - process.nowMs, process.life, () => finish(undefined))
    })
  }
}
