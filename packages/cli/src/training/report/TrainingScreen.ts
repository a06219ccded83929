import { Screen, sparkline } from '../../demo/Screen.ts'
import { bucketMeans } from './bucketMeans.ts'
import type { LoggedStep } from './RunLog.ts'

export const shownNumber = (value: number): string =>
  Math.abs(value) >= 1e4 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(2) : value.toFixed(4)

export const shownAccuracy = (accuracy: number | null): string =>
  accuracy === null ? '' : `, ${(100 * accuracy).toFixed(2)} % right`

const shownSeconds = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`

/** What one step looks like while it is the latest: numbers, a curve of the run so far, the time left. */
export function progressLine(losses: readonly number[], steps: number, secondsPerStep: number): string {
  const recent = losses.slice(-20)
  const mean = recent.reduce((sum, loss) => sum + loss, 0) / Math.max(1, recent.length)
  const left = shownSeconds((steps - losses.length) * secondsPerStep)
  const curve = sparkline(bucketMeans(losses.filter(Number.isFinite), 32))
  return `step ${String(losses.length).padStart(String(steps).length)}/${steps}  loss ${shownNumber(mean)}  ${curve}  ${left} left`
}

/** Redraws are for eyes: more than ten a second only cost time. */
const REDRAW_MS = 100

/** Shows a run while it goes on: a line that replaces itself on a terminal, else a line every ten seconds and one an evaluation. */
export class TrainingScreen {
  readonly #screen: Screen
  readonly #steps: number
  readonly #losses: number[]
  #drawnMs = 0

  constructor(write: (text: string) => void, isTty: boolean, steps: number, before: readonly LoggedStep[]) {
    this.#screen = new Screen(write, isTty)
    this.#steps = steps
    this.#losses = before.map(({ loss }) => loss)
  }

  add(step: LoggedStep, secondsPerStep: number, nowMs: number): void {
    this.#losses.push(step.loss)
    if (step.valid) {
      const { loss, accuracy } = step.valid
      this.#screen.fact(
        `step ${step.step}: training ${shownNumber(step.loss)}, validation ${shownNumber(loss)}${shownAccuracy(accuracy)}`,
      )
    }
    if (nowMs - this.#drawnMs < REDRAW_MS && step.step < this.#steps) return
    this.#drawnMs = nowMs
    this.#screen.live(progressLine(this.#losses, this.#steps, secondsPerStep))
  }

  /** Ends the live line, so that what follows begins on a line of its own. */
  end(): void {
    if (this.#screen.isTty) this.#screen.line()
  }
}
