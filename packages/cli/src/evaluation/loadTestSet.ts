import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TrainingData } from '@potluck/engine'
import { type Hex, PotluckError, sha256, toHex } from '@potluck/protocol'
import { imagesAsData } from '../training/images/loadImages.ts'
import { checkLabels, readImages } from '../training/images/readImages.ts'
import { readTextFile } from '../training/readDataFile.ts'
import { encodeRows } from '../training/table/encodeRows.ts'
import { matchColumns } from '../training/table/matchColumns.ts'
import { type HeaderChoice, parseCsv } from '../training/table/parseCsv.ts'
import { readTextTokenizer } from '../training/text/TextTokenizer.ts'
import { columnNames, pixelScaleOf, tableEncodingOf } from './encodingOf.ts'
import type { TrainedModel } from './loadTrained.ts'

export type TestSetOptions = {
  readonly test?: string
  readonly testImages?: string
  readonly testLabels?: string
  readonly header: HeaderChoice
}

export type TestSet = {
  readonly data: TrainingData
  /** SHA-256 of each file as it lies there. */
  readonly hashes: readonly Hex[]
}

const usage = (message: string): PotluckError => new PotluckError('BAD_USAGE', message)

/** A test set as the model reads it. Throws BAD_USAGE for files of another kind than the model's, and what reading them throws. */
export function loadTestSet(trained: TrainedModel, options: TestSetOptions): TestSet {
  const { test, testImages, testLabels } = options
  const { input } = trained
  if (input.data === 'images') {
    if (test !== undefined || testImages === undefined || testLabels === undefined)
      throw usage('a model of images is evaluated with --test-images FILE --test-labels FILE')
    return { data: imageData(trained, testImages, testLabels), hashes: [testImages, testLabels].map(hashOf) }
  }
  if (test === undefined || testImages !== undefined || testLabels !== undefined)
    throw usage(`a model of ${input.data === 'table' ? 'tables' : 'texts'} is evaluated with --test FILE`)
  const data = input.data === 'text' ? textData(trained, test) : tableData(trained, test, options.header)
  return { data, hashes: [hashOf(test)] }
}

const hashOf = (file: string): Hex => toHex(sha256(new Uint8Array(readFileSync(file))))

function imageData(trained: TrainedModel, images: string, labels: string): TrainingData {
  const seen = readImages(images, labels)
  const { target, sample } = trained.model
  if (target.kind === 'classes') checkLabels(seen.labels, target.classes, labels)
  const size = seen.height * seen.width * seen.channels
  if (sample.kind !== 'rows' || sample.inputs !== size) {
    const wanted = sample.kind === 'rows' ? sample.inputs : 0
    throw new PotluckError('SHAPE', `${images} has images of ${size} values, the model takes ${wanted}`, {
      file: images,
    })
  }
  const all = Int32Array.from({ length: seen.count }, (_, i) => i)
  return imagesAsData(seen, all, pixelScaleOf(trained))
}

function textData({ folder }: TrainedModel, file: string): TrainingData {
  const { tokenizer } = readTextTokenizer(readFileSync(join(folder, 'tokenizer.json'), 'utf8'))
  return { kind: 'tokens', tokens: tokenizer.encode(readTextFile(file)) }
}

function tableData(trained: TrainedModel, file: string, header: HeaderChoice): TrainingData {
  const encoding = tableEncodingOf(trained)
  const table = matchColumns(parseCsv(readTextFile(file), file, header), columnNames(encoding))
  const { inputs, classes, numbers } = encodeRows(table, table.rows, encoding)
  return { kind: 'rows', inputs, targets: encoding.target.task === 'classification' ? classes : numbers }
}
