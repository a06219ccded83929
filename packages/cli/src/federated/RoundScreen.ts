import type { LiveOutput } from '../commands/train.ts'
import { Screen, sparkline } from '../demo/Screen.ts'
import { bucketMeans } from '../training/report/bucketMeans.ts'
import { shownAccuracy, shownNumber } from '../training/report/TrainingScreen.ts'
import type { RoundRecord } from './RoundRecord.ts'
import { wireSize } from './report/markup.ts'

const shownSeconds = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`

/** Narrower than this a curve shows nothing. */
const LEAST_CURVE = 4
const MOST_CURVE = 24

/**
 * What a round looks like while it is the latest: numbers, bytes so far, the time left, and a curve of the run where it fits.
 *
 * @param width characters there are: a line that wraps could not replace itself
 */
export function roundLine(all: readonly RoundRecord[], rounds: number, secondsPerRound: number, width: number): string {
  const last = all.at(-1)
  if (!last) return ''
  const sum = (of: (round: RoundRecord) => number): string => wireSize(all.reduce((bytes, one) => bytes + of(one), 0))
  const valid = all.findLast((one) => one.valid)?.valid
  const losses = all.map(({ loss }) => loss).filter(Number.isFinite)
  const parts = [
    `round ${String(last.round).padStart(String(rounds).length)}/${rounds}`,
    `loss ${shownNumber(last.loss)}${valid ? shownAccuracy(valid.accuracy) : ''}`,
    `${sum(({ bytesUp }) => bytesUp)} up, ${sum(({ bytesDown }) => bytesDown)} down`,
    ...(last.epsilon === undefined ? [] : [`ε ${shownNumber(last.epsilon)}`]),
    `${shownSeconds((rounds - last.round) * secondsPerRound)} left`,
  ]
  const curve = Math.min(MOST_CURVE, width - parts.join('  ').length - 2)
  if (curve >= LEAST_CURVE) parts.splice(2, 0, sparkline(bucketMeans(losses, curve)))
  return parts.join('  ').slice(0, width)
}

/** What the screen puts in front of a line. */
const INDENT = 8

/** Lines that stay, at most so many a run: the rest replaces itself. */
const MOST_LINES = 20

/** Shows a federation while it trains: a line that replaces itself on a terminal, and some rounds that stay. */
export class RoundScreen {
  readonly #screen: Screen
  readonly #rounds: number
  readonly #all: RoundRecord[]
  readonly #width: number

  /** @param columns of the terminal */
  constructor(live: LiveOutput, columns: number, rounds: number, before: readonly RoundRecord[]) {
    this.#screen = new Screen((text) => live.write(text), live.isTty)
    this.#rounds = rounds
    this.#width = Math.max(20, columns - INDENT - 1)
    this.#all = [...before]
  }

  add(round: RoundRecord, secondsPerRound: number): void {
    this.#all.push(round)
    const every = Math.max(1, Math.ceil(this.#rounds / MOST_LINES))
    if (round.valid && (round.round % every === 0 || round.round === this.#rounds)) {
      const { loss, accuracy } = round.valid
      this.#screen.fact(
        `round ${round.round}: training ${shownNumber(round.loss)}, validation ${shownNumber(loss)}${shownAccuracy(accuracy)}`,
      )
    }
    this.#screen.live(roundLine(this.#all, this.#rounds, secondsPerRound, this.#width))
  }

  /** Ends the live line, so that what follows begins on a line of its own. */
  end(): void {
    if (this.#screen.isTty) this.#screen.line()
  }
}
