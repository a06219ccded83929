import { setTimeout as sleep } from 'node:timers/promises'
import { PotluckError } from '@potluck/protocol'

/** Asks until there is an answer. Throws TIMED_OUT with `what` after `timeoutMs`; passing errors of a node that restarts are waited out. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  options: { timeoutMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<T> {
  const until = performance.now() + options.timeoutMs
  let last = 'no answer yet'
  while (performance.now() < until) {
    options.signal?.throwIfAborted()
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = (error as Error).message
    }
    await sleep(options.everyMs ?? 250)
  }
  throw new PotluckError(
    'TIMED_OUT',
    `${what}: nothing after ${Math.round(options.timeoutMs / 1000)} s (${last}); see the logs in the nodes' folders`,
    {},
    { remedy: 'retry' },
  )
}
