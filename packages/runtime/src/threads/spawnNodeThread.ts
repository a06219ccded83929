import { Worker } from 'node:worker_threads'
import type { Answer, EngineThread } from '@potluck/engine'

/** Starts a worker thread for `createEngine`. It holds the process only while an answer is awaited. */
export function spawnNodeThread(): EngineThread {
  // The flags of this process may be none for a worker with a file of its own, `--input-type` for one.
  const worker = new Worker(new URL('./nodeThread.ts', import.meta.url), { execArgv: [] })
  let awaited = 0
  worker.unref()
  return {
    post(message) {
      if (awaited++ === 0) worker.ref()
      worker.postMessage(message)
    },
    onAnswer(listener) {
      worker.on('message', (answer: Answer) => {
        if (--awaited === 0) worker.unref()
        listener(answer)
      })
      worker.on('error', (error) => listener({ failed: error.message }))
    },
    async close() {
      await worker.terminate()
    },
  }
}
