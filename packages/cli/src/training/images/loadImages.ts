import type { TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { LoadedData } from '../LoadedData.ts'
import { splitRows } from '../splitRows.ts'
import { checkLabels, type LabelledImages, pixelStatistics, readImages } from './readImages.ts'

export type PixelScale = { readonly mean: number; readonly deviation: number }

export type ImageOptions = {
  readonly images: string
  readonly labels: string
  readonly testImages?: string | undefined
  readonly testLabels?: string | undefined
  /** How many classes there are; one more than the largest label when left out. */
  readonly classes?: number | undefined
  /** Mean and deviation of pixels in [0, 1]; those of the training images when left out. */
  readonly scale?: PixelScale | undefined
  readonly validFraction: number
  readonly seed: Uint8Array
}

/**
 * Images as training, validation and test data: pixels less their mean, by their deviation, both of training images.
 * Throws what reading and parsing throw, LABEL_RANGE and SHAPE.
 */
export function loadImages(options: ImageOptions): LoadedData {
  const images = readImages(options.images, options.labels)
  const classes = options.classes ?? images.labels.reduce((most, label) => Math.max(most, label), 0) + 1
  checkLabels(images.labels, classes, options.labels)
  if (classes < 2) {
    throw new PotluckError('BAD_TARGET', `${options.labels}: every image has label 0, there is nothing to learn`)
  }
  const split = splitRows(images.count, options.validFraction, options.seed)
  const statistics = options.scale ?? pixelStatistics(images, split.train)
  const test = readTest(options, images, classes)
  const counts = `${split.train.length} to train on, ${split.valid.length} to validate${test ? `, ${test.count} to test, from ${options.testImages}` : ''}`
  const { height, width, channels } = images
  return {
    shape: { kind: 'images', height, width, channels, classes, images: split.train.length },
    train: imagesAsData(images, split.train, statistics),
    valid: imagesAsData(images, split.valid, statistics),
    test:
      test &&
      imagesAsData(
        test,
        Int32Array.from({ length: test.count }, (_, i) => i),
        statistics,
      ),
    lines: [
      `${options.images}: ${images.count} images of ${height} × ${width}${channels > 1 ? ` × ${channels}` : ''}, ${classes} classes`,
      `  pixels in [0, 1], less ${statistics.mean.toFixed(4)}, by ${statistics.deviation.toFixed(4)}; ${counts}`,
    ],
    encoding: { data: 'images', ...statistics },
    files: {},
    classes: Array.from({ length: classes }, (_, label) => String(label)),
  }
}

function readTest(options: ImageOptions, train: LabelledImages, classes: number): LabelledImages | undefined {
  const { testImages, testLabels } = options
  if (testImages === undefined || testLabels === undefined) return undefined
  const test = readImages(testImages, testLabels)
  const extents = ({ height, width, channels }: LabelledImages): string => `${height} × ${width} × ${channels}`
  if (extents(test) !== extents(train)) {
    const message = `${testImages} has images of ${extents(test)}, ${options.images} of ${extents(train)}: name a test set of the same size`
    throw new PotluckError('SHAPE', message, { file: testImages })
  }
  checkLabels(test.labels, classes, testLabels)
  return test
}

/** Images as rows: pixels in [0, 1], less the mean, by the deviation. */
export function imagesAsData(
  images: LabelledImages,
  which: Int32Array,
  statistics: { mean: number; deviation: number },
): TrainingData {
  const size = images.height * images.width * images.channels
  const scaled = Float32Array.from(
    { length: 256 },
    (_, value) => (value / 255 - statistics.mean) / statistics.deviation,
  )
  const inputs = new Float32Array(which.length * size)
  which.forEach((image, row) => {
    for (let i = 0; i < size; i++) inputs[row * size + i] = scaled[images.pixels[image * size + i]!]!
  })
  return { kind: 'rows', inputs, targets: Int32Array.from(which, (image) => images.labels[image]!) }
}
