import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readLogLines } from '../training/report/readLogLines.ts'
import { isRoundRecord, type RoundRecord } from './RoundRecord.ts'
import { EventFile } from './tensorboard/EventFile.ts'
import type { ScalarEvent } from './tensorboard/eventBytes.ts'

/** The rounds in a log, up to `lastRound`; lines that are none, or cut off by a crash, are left out. */
export function readRounds(text: string, lastRound: number): RoundRecord[] {
  return readLogLines(text, isRoundRecord).filter(({ round }) => round <= lastRound)
}

/**
 * What a run did, for people and plots: one JSON line a round and the same as TensorBoard's events. A resumed run goes on where its
 * checkpoint was taken; rounds after that are dropped, for they are made again.
 */
export class RoundLog {
  readonly rounds: RoundRecord[]
  readonly #file: string
  readonly #events: EventFile

  constructor(file: string, eventFolder: string, resumedAt: number, nowSeconds: number) {
    this.#file = file
    this.rounds = resumedAt > 0 && existsSync(file) ? readRounds(readFileSync(file, 'utf8'), resumedAt) : []
    writeFileSync(file, this.rounds.map((round) => `${JSON.stringify(round)}\n`).join(''))
    this.#events = new EventFile(eventFolder, this.rounds.map(eventOf), nowSeconds)
  }

  add(round: RoundRecord): void {
    this.rounds.push(round)
    appendFileSync(this.#file, `${JSON.stringify(round)}\n`)
    this.#events.add(eventOf(round))
  }
}

export const eventOf = (round: RoundRecord): ScalarEvent => ({
  wallTime: round.time,
  step: round.round,
  scalars: {
    'loss/training': round.loss,
    ...(round.valid ? { 'loss/validation': round.valid.loss } : {}),
    ...(round.valid && round.valid.accuracy !== null ? { accuracy: round.valid.accuracy } : {}),
    'bytes/up': round.bytesUp,
    'bytes/down': round.bytesDown,
    ...(round.epsilon === undefined ? {} : { epsilon: round.epsilon }),
  },
})
