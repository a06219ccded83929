import {
  type Attack,
  attackUpdates,
  type Compression,
  compressUpdate,
  type LocalTrainer,
  poisonData,
  type Rule,
} from '@potluck/learning'
import type { Hex } from '@potluck/protocol'
import { type Delivery, type DeliveryReader, sealDelivery } from './Delivery.ts'
import type { Rows } from './digits.ts'

/** One piece of a share, with all that decides it. Plain values: it may be sent to another thread. */
export type PieceJob = {
  readonly header: Omit<Delivery, 'payload'>
  /** What the piece starts from: the base, moved by the pieces before. */
  readonly state: Float32Array
  /** Of the batches. */
  readonly seed: Uint8Array
  readonly residual: Float32Array | undefined
  readonly secret: Uint8Array
  readonly lie:
    | { readonly attack: Attack; readonly rule: Rule; readonly seed: Uint8Array; readonly poisonSeed: Uint8Array }
    | undefined
  /** Whether the caller goes on from here. */
  readonly keepsUpdate: boolean
}

export type Piece = {
  readonly bytes: Uint8Array
  readonly residual: Float32Array | undefined
  /** What training gave, where it is kept. */
  readonly update: Float32Array | undefined
  /** Who signed and what receivers decode, as read back from the bytes. */
  readonly from: Hex
  readonly decoded: Float32Array
}

export type PieceTools = {
  readonly trainer: LocalTrainer
  readonly reader: DeliveryReader
  readonly compression: Compression
  readonly classes: number
  readonly dataOf: (share: number) => Rows
}

/** Trains, lies if it is to lie, compresses, signs, and reads the result as a receiver does: a pure function of the job. */
export async function computePiece(tools: PieceTools, job: PieceJob): Promise<Piece> {
  const { trainer, reader, compression, classes, dataOf } = tools
  const { header, state, seed, residual, secret, lie, keepsUpdate } = job
  const honest = dataOf(header.share)
  const data = lie ? poisonData(lie.attack, honest, classes, lie.poisonSeed) : honest
  const { update } = await trainer.train({ base: state, data, seed, steps: header.steps })
  const view = lie && { honest: [], own: [update], rule: lie.rule, round: header.round, seed: lie.seed }
  const sent = (lie && view && attackUpdates(lie.attack, view)[0]) ?? update
  const packed = compressUpdate(sent, residual, compression)
  const bytes = sealDelivery({ ...header, payload: packed.bytes }, secret)
  const opened = reader.open(bytes)
  if (!opened.ok) throw new Error(`a delivery cannot be read by the one who made it: ${opened.why}`)
  const { from } = opened.delivery
  const decoded = reader.decode(opened.delivery)
  return { bytes, residual: packed.residual, update: keepsUpdate ? update : undefined, from, decoded }
}
