/** Entry of a worker of a tab: one thread of the engine. */
import { type Answer, type Prepare, serveThread } from '../../packages/engine/src/wasm/serveThread.ts'

const scope = globalThis as typeof globalThis & {
  onmessage: ((event: { data: Prepare }) => void) | null
  postMessage(answer: Answer): void
}

serveThread({
  onMessage: (listener) => {
    scope.onmessage = ({ data }) => listener(data)
  },
  post: (answer) => scope.postMessage(answer),
})
