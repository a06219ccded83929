/** Prints the engine's vectors, computed with as many threads as the first argument says. */
import { Worker } from 'node:worker_threads'
import { engineVectors } from '../../packages/engine/src/check/engineVectors.ts'
import { createEngine } from '../../packages/engine/src/createEngine.ts'
import type { EngineThread } from '../../packages/engine/src/wasm/ThreadTeam.ts'

function spawn(): EngineThread {
  const worker = new Worker(new URL('./threadInNode.js', import.meta.url))
  return {
    post: (message) => worker.postMessage(message),
    onAnswer: (listener) => void worker.on('message', listener),
    close: async () => void (await worker.terminate()),
  }
}

const engine = await createEngine({ threads: Number(process.argv[2]), spawn, leastShared: 0 })
process.stdout.write(JSON.stringify(await engineVectors(engine)))
await engine.close()
