/** A thread of the crew: makes its own trainer, then computes the pieces that it is sent, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ModelConfig, modelOf, type TrainingRecipe } from '@potluck/engine'
import { type Compression, localTrainer } from '@potluck/learning'
import { codeOf, PotluckError } from '@potluck/protocol'
import { createLocalEngine, type LocalOptions } from '@potluck/runtime'
import { computePiece, type Piece, type PieceJob, type PieceTools } from './computePiece.ts'
import { DeliveryReader } from './Delivery.ts'
import type { Rows } from './digits.ts'

/** What a thread needs once. The rows are in shared memory. */
export type CrewOrders = {
  readonly config: ModelConfig
  readonly recipe: TrainingRecipe
  readonly compression: Compression
  readonly classes: number
  readonly executor: NonNullable<LocalOptions['executor']>
  /** By share. */
  readonly shares: readonly Rows[]
  /** Number of the first share. */
  readonly firstShare: number
}

export type CrewAnswer = { readonly piece: Piece } | { readonly code: string; readonly message: string }

async function toolsFor({ config, recipe, executor, ...orders }: CrewOrders): Promise<PieceTools> {
  const engine = await createLocalEngine({ executor, threads: 1 })
  const trainer = await localTrainer(engine, modelOf(config), recipe)
  const reader = new DeliveryReader(trainer.parameters, orders.compression)
  const dataOf = (share: number): Rows => {
    const data = orders.shares[share - orders.firstShare]
    if (!data) throw new PotluckError('NO_SHARE', `there is no share ${share}`, { share })
    return data
  }
  return { trainer, reader, compression: orders.compression, classes: orders.classes, dataOf }
}

function serve(port: NonNullable<typeof parentPort>, orders: CrewOrders): void {
  const tools = toolsFor(orders)
  let last: Promise<void> = Promise.resolve()
  const answer = async (job: PieceJob): Promise<void> => {
    try {
      const piece = await computePiece(await tools, job)
      const { bytes, decoded, residual, update } = piece
      const moved = [bytes, decoded, residual, update].flatMap((one) => (one ? [one.buffer as ArrayBuffer] : []))
      port.postMessage({ piece } satisfies CrewAnswer, moved)
    } catch (error) {
      const message = (error as Error).message
      port.postMessage({ code: codeOf(error) ?? 'INTERNAL', message } satisfies CrewAnswer)
    }
  }
  port.on('message', (job: PieceJob) => {
    last = last.then(() => answer(job))
  })
}

if (parentPort) serve(parentPort, workerData as CrewOrders)
