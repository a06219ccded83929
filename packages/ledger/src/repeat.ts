export type Repeating = {
  /** Runs once now, after a run in progress; throws what it throws. */
  now(): Promise<void>
  /** Ends it; resolves when a run in progress is over. */
  stop(): Promise<void>
}

const MOST_PAUSE_MS = 5_000

/** Runs `work` again and again, never twice at a time; after an error the pause doubles, up to 5 s, until it works again. */
export function repeat(
  work: () => Promise<void>,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
): Repeating {
  let stopped = false
  let pauseMs = everyMs
  let timer: NodeJS.Timeout | undefined
  let last: Promise<void> = Promise.resolve()

  // Runs queue up behind each other, each whatever became of the one before.
  const queue = (): Promise<void> => {
    const run = last.then(work)
    last = run.then(
      () => undefined,
      () => undefined,
    )
    return run
  }
  const turn = async (): Promise<void> => {
    try {
      await queue()
      pauseMs = everyMs
    } catch (error) {
      onError(error)
      pauseMs = Math.min(MOST_PAUSE_MS, pauseMs * 2)
    }
    if (!stopped) timer = setTimeout(() => void turn(), pauseMs)
  }
  void turn()
  return {
    now: queue,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await last
    },
  }
}
