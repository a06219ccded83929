import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstRecord, type ScalarEvent, scalarRecord } from './eventBytes.ts'

/**
 * The scalars of a run in a folder that `tensorboard --logdir` reads, one record a round, written as it happens.
 *
 * A folder holds one file: a run that goes on writes anew what was known when its checkpoint was taken, as the log does.
 */
export class EventFile {
  readonly #file: string

  constructor(folder: string, before: readonly ScalarEvent[], nowSeconds: number) {
    mkdirSync(folder, { recursive: true })
    // Two files of one run would be drawn as one curve that goes back in time.
    for (const name of readdirSync(folder)) if (name.startsWith('events.out.tfevents.')) rmSync(join(folder, name))
    const started = before[0]?.wallTime ?? nowSeconds
    this.#file = join(folder, `events.out.tfevents.${String(Math.floor(started)).padStart(10, '0')}.potluck`)
    writeFileSync(this.#file, firstRecord(started))
    for (const event of before) this.add(event)
  }

  add(event: ScalarEvent): void {
    appendFileSync(this.#file, scalarRecord(event))
  }
}
