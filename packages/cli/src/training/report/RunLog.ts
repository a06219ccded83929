import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readLogLines } from './readLogLines.ts'

export type LoggedStep = {
  readonly step: number
  readonly loss: number
  readonly rate: number
  readonly norm: number | null
  readonly seconds: number
  readonly valid?: { readonly loss: number; readonly accuracy: number | null }
}

/** The steps in a run log, up to `lastStep`; lines that are none, or cut off by a crash, are left out. */
export function readSteps(text: string, lastStep: number): LoggedStep[] {
  return readLogLines(text, isStep).filter(({ step }) => step <= lastStep)
}

function isStep(value: unknown): value is LoggedStep {
  if (typeof value !== 'object' || value === null) return false
  return 'step' in value && typeof value.step === 'number' && 'loss' in value && typeof value.loss === 'number'
}

/**
 * One JSON line a step, written as it happens: what a run did, for people and plots. A resumed run goes on where its checkpoint
 * was taken; lines after that are dropped, for those steps are made again.
 */
export class RunLog {
  readonly steps: LoggedStep[]
  readonly #file: string
  #waiting = ''

  constructor(file: string, resumedAt: number) {
    this.#file = file
    this.steps = resumedAt > 0 && existsSync(file) ? readSteps(readFileSync(file, 'utf8'), resumedAt) : []
    writeFileSync(file, this.steps.map((step) => `${JSON.stringify(step)}\n`).join(''))
  }

  add(step: LoggedStep): void {
    this.steps.push(step)
    this.#waiting += `${JSON.stringify(step)}\n`
    if (this.#waiting.length > 8_192) this.flush()
  }

  /** Writes what is waiting. Called before every checkpoint and at the end. */
  flush(): void {
    if (this.#waiting) appendFileSync(this.#file, this.#waiting)
    this.#waiting = ''
  }
}
