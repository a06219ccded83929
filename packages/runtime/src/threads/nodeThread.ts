/** Entry of a worker thread of the WebAssembly engine. */
import { parentPort } from 'node:worker_threads'
import { type Prepare, serveThread } from '@potluck/engine'

serveThread({
  onMessage: (listener) => parentPort?.on('message', (message: Prepare) => listener(message)),
  post: (answer) => parentPort?.postMessage(answer),
})
