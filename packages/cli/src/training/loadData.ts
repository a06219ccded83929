import { PotluckError } from '@potluck/protocol'
import type { GivenEncoding } from './GivenEncoding.ts'
import { loadImages } from './images/loadImages.ts'
import type { LoadedData } from './LoadedData.ts'
import type { TableTask } from './table/fitTarget.ts'
import { loadTable } from './table/loadTable.ts'
import type { HeaderChoice } from './table/parseCsv.ts'
import type { BaseModel } from './text/loadBase.ts'
import { loadText } from './text/loadText.ts'

/** The options that say what is trained on. */
export type DataOptions = {
  readonly text?: string
  readonly csv?: string
  readonly images?: string
  readonly target?: string
  readonly labels?: string
  readonly test?: string
  readonly testImages?: string
  readonly testLabels?: string
  readonly header: HeaderChoice
  readonly task?: TableTask
  readonly ignore: readonly string[]
  readonly categorical: readonly string[]
  readonly classes?: number
  readonly tokenizer: string
  /** Per cent of the data set aside for validation; the usual for its kind when left out. */
  readonly valid?: number
  /** Column of a table whose value names the client a row belongs to; no input of the model. */
  readonly site?: string | undefined
}

/** Which option belongs to which data: one given with other data is a mistake, not a wish to be ignored. */
const belongs: Readonly<Record<'text' | 'csv' | 'images', readonly (keyof DataOptions)[]>> = {
  text: ['test'],
  csv: ['target', 'test', 'task'],
  images: ['labels', 'testImages', 'testLabels', 'classes'],
}

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const usage = (message: string): PotluckError => new PotluckError('BAD_USAGE', message)

/** Which data is meant. Throws BAD_USAGE with the options that do not go together or are missing. */
export function kindOfData(options: DataOptions): 'text' | 'csv' | 'images' {
  const kinds = (['text', 'csv', 'images'] as const).filter((kind) => options[kind] !== undefined)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    throw usage(
      `${kinds.length === 0 ? 'nothing to train on' : `${kinds.map(flag).join(' and ')} together`}: name one of --text FILE, --csv FILE --target COLUMN, --images FILE --labels FILE`,
    )
  }
  for (const option of new Set(Object.values(belongs).flat())) {
    if (options[option] !== undefined && !belongs[kind].includes(option)) {
      throw usage(`${flag(option)} does not go with ${flag(kind)}; that takes ${belongs[kind].map(flag).join(', ')}`)
    }
  }
  if (kind === 'csv' && options.target === undefined)
    throw usage('--csv needs --target COLUMN: which column is to be predicted?')
  if (kind === 'images' && options.labels === undefined) throw usage('--images needs --labels FILE')
  if ((options.testImages === undefined) !== (options.testLabels === undefined)) {
    throw usage('--test-images and --test-labels go together')
  }
  return kind
}

/** Per cent set aside for validation. */
const usualValid = { text: 10, csv: 20, images: 5 } as const

/** The part of the data that is set aside for validation. */
export const validShare = (options: DataOptions): number => (options.valid ?? usualValid[kindOfData(options)]) / 100

/** The data an option names, ready for training, read as a given encoding says where there is one. Throws BAD_USAGE and what the loaders throw. */
export function loadData(options: DataOptions, seed: Uint8Array, base?: BaseModel, given?: GivenEncoding): LoadedData {
  const kind = kindOfData(options)
  if (base && kind !== 'text')
    throw usage(`--base goes on with a model of texts: it goes with --text, not ${flag(kind)}`)
  const { test, text, csv, target, images, labels, testImages, testLabels, classes, task } = options
  const validFraction = validShare(options)
  if (kind === 'images' && images !== undefined && labels !== undefined) {
    const known = given?.data === 'images' ? { classes: given.classes, scale: given } : { classes }
    return loadImages({ images, labels, testImages, testLabels, ...known, validFraction, seed })
  }
  if (kind === 'csv' && csv !== undefined && target !== undefined) {
    const { header, ignore, categorical, site } = options
    const encoding = given?.data === 'table' ? given.table : undefined
    return loadTable({ csv, target, test, header, task, ignore, categorical, site, encoding, validFraction, seed })
  }
  return loadText({ text: text ?? '', test, tokenizer: options.tokenizer, base: base?.tokenizer, validFraction })
}
