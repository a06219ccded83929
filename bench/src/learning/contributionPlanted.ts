/**
 * Twelve contributors whose quality is known, because it was planted: rows of MNIST in plenty and in scarcity, with wrong labels, repeated,
 * and rows that have nothing to do with the task.
 */

import type { TrainingData } from '@potluck/engine'
import { selectRows } from '@potluck/learning'
import { imageRows, type LabelledImages, shuffledNumbers } from './benchData.ts'

type Rows = TrainingData & { readonly kind: 'rows' }

export type Planted = {
  readonly id: string
  readonly rows: number
  /** Share of rows whose label is drawn anew, from the nine others. */
  readonly noise?: number
  /** Different rows among them; all unless given. */
  readonly distinct?: number
  /** Pixels in an order of their own for each row: pictures of nothing. */
  readonly isIrrelevant?: boolean
}

export const planted: readonly Planted[] = [
  { id: 'clean 300', rows: 300 },
  { id: 'clean 200', rows: 200 },
  { id: 'clean 120', rows: 120 },
  { id: 'clean 60', rows: 60 },
  { id: 'clean 25', rows: 25 },
  { id: 'noise 20 %', rows: 200, noise: 0.2 },
  { id: 'noise 40 %', rows: 200, noise: 0.4 },
  { id: 'noise 60 %', rows: 200, noise: 0.6 },
  { id: 'noise 80 %', rows: 200, noise: 0.8 },
  { id: 'noise 100 %', rows: 200, noise: 1 },
  { id: 'repeated', rows: 200, distinct: 15 },
  { id: 'irrelevant', rows: 120, isIrrelevant: true },
]

/** The contributors' rows, those that scores are measured on, those that the truth is measured on, and public ones: no row is in two of them. */
export function plantedData(
  images: LabelledImages,
  seed: number,
): { clients: { id: string; data: Rows }[]; probe: TrainingData; truth: Rows; reference: TrainingData } {
  const order = shuffledNumbers(images.labels.length, seed)
  let at = 0
  const take = (count: number): Rows => {
    const rows = imageRows(images, order.subarray(at, at + count))
    at += count
    if (rows.kind !== 'rows') throw new TypeError('images are rows')
    return rows
  }
  const clients = planted.map((plan, i) => ({ id: plan.id, data: spoiled(plan, take(plan.rows), 1000 * seed + i) }))
  return { clients, probe: take(500), truth: take(2000), reference: take(500) }
}

function spoiled({ rows, noise = 0, distinct = rows, isIrrelevant }: Planted, data: Rows, seed: number): Rows {
  const repeated = selectRows(
    data,
    Uint32Array.from({ length: rows }, (_, i) => i % distinct),
    rows,
  )
  const targets = Int32Array.from(repeated.targets)
  const chosen = shuffledNumbers(rows, seed + 100)
  const drawn = shuffledNumbers(rows, seed + 200)
  for (let i = 0; i < Math.round(noise * rows); i++) {
    const row = chosen[i]!
    targets[row] = (targets[row]! + 1 + (drawn[i]! % 9)) % 10
  }
  const inputs = Float32Array.from(repeated.inputs)
  if (isIrrelevant) {
    for (let row = 0; row < rows; row++) {
      const pixels = shuffledNumbers(784, seed + 300 + row)
      for (let c = 0; c < 784; c++) inputs[row * 784 + c] = repeated.inputs[row * 784 + pixels[c]!]!
    }
  }
  return { kind: 'rows', inputs, targets }
}
