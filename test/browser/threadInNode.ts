/** Entry of a worker thread of Node: one thread of the engine. */
import { parentPort } from 'node:worker_threads'
import { type Prepare, serveThread } from '../../packages/engine/src/wasm/serveThread.ts'

serveThread({
  onMessage: (listener) => void parentPort?.on('message', (message: Prepare) => listener(message)),
  post: (answer) => parentPort?.postMessage(answer),
})
