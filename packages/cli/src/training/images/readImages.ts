import { PotluckError } from '@potluck/protocol'
import { readDataFile } from '../readDataFile.ts'
import { type IdxArray, parseIdx } from './parseIdx.ts'

/** Images of one size with a label each. */
export type LabelledImages = {
  readonly count: number
  readonly height: number
  readonly width: number
  readonly channels: number
  /** [count, height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

/** Reads a pair of IDX files, gzipped or not. Throws what `readDataFile`, `parseIdx` and `pairImages` throw. */
export const readImages = (imagesFile: string, labelsFile: string): LabelledImages =>
  pairImages(parseIdx(readDataFile(imagesFile), imagesFile), parseIdx(readDataFile(labelsFile), labelsFile), {
    imagesFile,
    labelsFile,
  })

/**
 * Images [N, H, W] or [N, H, W, C] with labels [N].
 *
 * @throws PotluckError SHAPE with both files and their extents
 */
export function pairImages(
  images: IdxArray,
  labels: IdxArray,
  files: { imagesFile: string; labelsFile: string },
): LabelledImages {
  const [count = 0, height = 0, width = 0, channels = 1] = images.extents
  const { imagesFile, labelsFile } = files
  const shown = (array: IdxArray): string => `[${array.extents.join(', ')}]`
  if (images.extents.length < 3) {
    const message = `${imagesFile} is ${shown(images)}: images are [number, height, width] or [number, height, width, channels]; are the two files swapped?`
    throw new PotluckError('SHAPE', message, { file: imagesFile, seen: shown(images) })
  }
  if (labels.extents.length !== 1) {
    const message = `${labelsFile} is ${shown(labels)}: labels are one number an image, [number]`
    throw new PotluckError('SHAPE', message, { file: labelsFile, seen: shown(labels) })
  }
  if (labels.extents[0] !== count) {
    const message = `${imagesFile} has ${count} images, ${labelsFile} ${labels.extents[0]} labels: they must be equally many; name files that belong together`
    throw new PotluckError('SHAPE', message, { images: count, labels: labels.extents[0] ?? 0 })
  }
  return { count, height, width, channels, pixels: images.values, labels: labels.values }
}

/**
 * Refuses a label that is no class: LABEL_RANGE with the file, the first image that has one, the label and the classes.
 */
export function checkLabels(labels: Uint8Array, classes: number, file: string): void {
  const at = labels.findIndex((label) => label >= classes)
  if (at < 0) return
  const message = `${file}: image ${at} has label ${labels[at]}, the model knows 0 to ${classes - 1}; mend the labels, or train with more --classes`
  throw new PotluckError('LABEL_RANGE', message, { file, image: at, label: labels[at]!, classes })
}

/** Mean and standard deviation of pixels in [0, 1] over the images named, in f64 by exact counts of each of the 256 values. */
export function pixelStatistics(images: LabelledImages, which: Int32Array): { mean: number; deviation: number } {
  const size = images.height * images.width * images.channels
  const counts = new Float64Array(256)
  for (const image of which) {
    for (let i = image * size; i < (image + 1) * size; i++) counts[images.pixels[i]!]!++
  }
  const total = which.length * size
  let sum = 0
  let squares = 0
  for (let value = 0; value < 256; value++) {
    sum += counts[value]! * value
    squares += counts[value]! * value * value
  }
  const mean = sum / total
  const variance = squares / total - mean * mean
  // Images of one colour carry nothing: any scale does.
  return { mean: mean / 255, deviation: variance > 0 ? Math.sqrt(variance) / 255 : 1 }
}
