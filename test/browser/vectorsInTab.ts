/** Runs in a browser tab: `computeVectors(threads)` on the global object gives the engine's vectors, computed there. */

import { engineVectors } from '../../packages/engine/src/check/engineVectors.ts'
import { createEngine } from '../../packages/engine/src/createEngine.ts'
import type { Answer, Prepare } from '../../packages/engine/src/wasm/serveThread.ts'
import type { EngineThread } from '../../packages/engine/src/wasm/ThreadTeam.ts'

type TabWorker = {
  postMessage(message: Prepare): void
  onmessage: ((event: { data: Answer }) => void) | null
  terminate(): void
}
type Tab = typeof globalThis & {
  readonly Worker: new (url: string, options: { type: 'module' }) => TabWorker
  readonly crossOriginIsolated: boolean
  computeVectors(threads: number): Promise<{ isolated: boolean; vectors: Record<string, unknown> }>
}
const tab = globalThis as Tab

function spawn(): EngineThread {
  const worker = new tab.Worker('/threadInTab.js', { type: 'module' })
  return {
    post: (message) => worker.postMessage(message),
    onAnswer: (listener) => {
      worker.onmessage = ({ data }) => listener(data)
    },
    close: async () => worker.terminate(),
  }
}

tab.computeVectors = async (threads) => {
  const engine = await createEngine({ threads, spawn, leastShared: 0 })
  const vectors = await engineVectors(engine)
  await engine.close()
  return { isolated: tab.crossOriginIsolated, vectors }
}
