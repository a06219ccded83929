import { codeOf, type Hex } from '@potluck/protocol'
import type { TickResult } from '@potluck/referee'
import type { JobView } from '../JobView.ts'

type Player = { tick(): Promise<TickResult> }
type Pursuit = { player?: Player | undefined; isBusy: boolean; nextMs: number; isDone: boolean }

/** Between two looks at one dispute: a block or two. */
const LOOK_MS = 500
/** After a failure; the clock of a game is a minute or more. */
const RETRY_MS = 2_000

/**
 * Disputes that this node plays, one player for each claim, each looking at the chain again and again in the background of the
 * roles' ticks. After a restart a fresh player finds the game on the chain.
 */
export class Pursuits {
  readonly #known = new Map<Hex, Pursuit>()

  /**
   * Lets the player of this claim look once more unless it is looking already; makes it when there is none.
   *
   * @param make undefined when there is nothing to play
   */
  pursue(view: JobView, subject: Hex, what: string, make: () => Promise<Player | undefined>): void {
    const pursuit = this.#known.get(subject) ?? { isBusy: false, nextMs: 0, isDone: false }
    this.#known.set(subject, pursuit)
    if (pursuit.isBusy || pursuit.isDone || view.nowMs < pursuit.nextMs) return
    pursuit.isBusy = true
    void this.#look(view, subject, what, pursuit, make).finally(() => {
      pursuit.isBusy = false
    })
  }

  async #look(
    view: JobView,
    subject: Hex,
    what: string,
    pursuit: Pursuit,
    make: () => Promise<Player | undefined>,
  ): Promise<void> {
    const { job, nowMs, ports } = view
    pursuit.nextMs = nowMs + LOOK_MS
    try {
      pursuit.player ??= await make()
      if (!pursuit.player) return
      const { did, done } = await pursuit.player.tick()
      if (did.length > 0) ports.log('info', what, { job, subject, did: did.join(', ') })
      pursuit.isDone = done
    } catch (error) {
      if (ports.signal.aborted) return
      pursuit.nextMs = nowMs + RETRY_MS
      const level = codeOf(error) === 'REVERTED' ? 'debug' : 'warn'
      ports.log(level, `${what}: not now`, { job, subject, code: codeOf(error) ?? '', why: (error as Error).message })
    }
  }
}
