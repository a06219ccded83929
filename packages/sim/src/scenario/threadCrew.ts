import { Worker } from 'node:worker_threads'
import { PotluckError } from '@potluck/protocol'
import type { Crew } from './Crew.ts'
import type { Piece, PieceJob } from './computePiece.ts'
import type { CrewAnswer, CrewOrders } from './crewThread.ts'

/** Jobs that a thread has at a time: one that it works on, one for when it is done. */
const DEPTH = 2

type Waiting = {
  readonly job: PieceJob
  readonly resolve: (piece: Piece) => void
  readonly reject: (error: unknown) => void
}

/** Computes pieces on other threads, in the order of asking, while this one runs the simulation. */
export function threadCrew(threads: number, orders: CrewOrders): Crew {
  const queue: Waiting[] = []
  const crew = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('./crewThread.ts', import.meta.url), { workerData: orders })
    const running: Waiting[] = []
    worker.on('message', (answer: CrewAnswer) => {
      const waiting = running.shift()
      if ('piece' in answer) waiting?.resolve(answer.piece)
      else waiting?.reject(new PotluckError(answer.code, answer.message))
      feed()
    })
    worker.on('error', (error) => {
      for (const { reject } of running.splice(0)) reject(error)
    })
    return { worker, running }
  })
  const feed = (): void => {
    for (let depth = 0; depth < DEPTH; depth++) {
      for (const { worker, running } of crew) {
        if (running.length > depth) continue
        const next = queue.shift()
        if (!next) return
        running.push(next)
        worker.postMessage(next.job)
      }
    }
  }
  return {
    start(job) {
      const piece = new Promise<Piece>((resolve, reject) => queue.push({ job, resolve, reject }))
      // Its worker may be killed before it asks.
      piece.catch(() => undefined)
      feed()
      return () => piece
    },
    async close() {
      await Promise.all(crew.map(({ worker }) => worker.terminate()))
    },
  }
}
