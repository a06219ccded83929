import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningPostgres } from '@potluck/ledger'

/** Keeps a Postgres server running on the same folder and port: when it is gone, it is started again. */
export async function keepPostgres(
  start: () => Promise<RunningPostgres>,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<{ url: string; pid(): number; stop(): Promise<void> }> {
  let current = await start()
  const { url } = current
  let isStopping = false
  const watch = async (): Promise<void> => {
    for (;;) {
      await current.exited
      if (isStopping || signal.aborted) return
      tell('postgres exited; it is started again')
      for (let waitMs = 200; ; waitMs = Math.min(5_000, 2 * waitMs)) {
        try {
          current = await start()
          break
        } catch (error) {
          if (isStopping || signal.aborted) return
          tell(`postgres does not start: ${(error as Error).message}`)
          await sleep(waitMs)
        }
      }
    }
  }
  void watch()
  return {
    url,
    pid: () => current.pid,
    stop: async () => {
      isStopping = true
      await current.stop()
    },
  }
}
