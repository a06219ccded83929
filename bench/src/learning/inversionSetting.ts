/** What the attacks on sent gradients share: the images, how sums are made, how a row of results reads. */
import type { Rows } from '@potluck/learning'
import { sha256, utf8 } from '@potluck/protocol'
import type { Row } from '../Row.ts'
import { imageRows, readImages, shuffledNumbers } from './benchData.ts'
import { meanOf } from './publishedHeart.ts'

const IMAGES = 30

export const seedOf = (what: string): Uint8Array => sha256(utf8(`privacy inversion/${what}`))

/** 30 of MNIST's test images: as rows and one by one. */
export function inversionImages(): { data: Rows; images: Float32Array[] } {
  const set = readImages('mnist.test')
  const data = imageRows(set, shuffledNumbers(set.labels.length, 1).subarray(0, IMAGES)) as Rows
  return { data, images: Array.from({ length: IMAGES }, (_, i) => data.inputs.subarray(i * 784, (i + 1) * 784)) }
}

export const sumOf = (vectors: readonly Float32Array[]): Float32Array =>
  vectors[0]!.map((_, i) => vectors.reduce((total, vector) => total + vector[i]!, 0))

export const qualityRow = (
  what: string,
  db: readonly number[],
  rival: string | null,
  rivalValue: number | null,
): Row => ({
  ...{ what: `inversion.${what}`, value: meanOf(db), rival, rivalValue, ratio: null },
  unit: `dB PSNR, measured, mean of ${db.length}, best ${Math.max(...db).toFixed(1)}`,
})
