import { sizeOfLayout } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { pixelScaleOf, tableEncodingOf } from '../evaluation/encodingOf.ts'
import { loadTrained, type TrainedModel } from '../evaluation/loadTrained.ts'
import type { GivenEncoding } from '../training/GivenEncoding.ts'
import type { DataShape } from '../training/LoadedData.ts'
import { type DataOptions, kindOfData } from '../training/loadData.ts'
import { inputCount } from '../training/table/encodeRows.ts'

/** A trained model whose answers a smaller one learns, with the way it reads rows. */
export type Teacher = TrainedModel & { readonly encoding: GivenEncoding; readonly params: number }

/**
 * The teacher in a folder that `potluck train` wrote, for the data that the options name. The student reads rows as its teacher does.
 *
 * @throws PotluckError BAD_USAGE for options that say how rows are read, or a text; BAD_TEACHER with what differs; what `loadTrained` throws
 */
export function loadTeacher(folder: string, options: DataOptions): Teacher {
  const kind = kindOfData(options)
  const given = options.task ?? [...options.ignore, ...options.categorical][0]
  if (given !== undefined)
    throw usage('the teacher says how a table is read: leave --task, --ignore and --categorical out')
  if (kind === 'text') throw usage('--teacher goes with a table or images, not with --text')
  const trained = loadTrained(folder)
  if (trained.input.data !== (kind === 'csv' ? 'table' : 'images'))
    throw bad(
      folder,
      `it is a model of ${trained.input.data === 'text' ? 'texts' : trained.input.data}, not of --${kind}`,
    )
  const { target } = trained.model
  if (target.kind !== 'classes') throw bad(folder, 'it predicts a number: a student learns from a teacher of classes')
  const encoding = encodingOf(trained, target.classes)
  if (options.classes !== undefined && options.classes !== target.classes)
    throw bad(folder, `it knows ${target.classes} classes, --classes says ${options.classes}`)
  return { ...trained, encoding, params: sizeOfLayout(trained.model.parameters) }
}

function encodingOf(trained: TrainedModel, classes: number): GivenEncoding {
  const { folder, input, model } = trained
  if (input.data !== 'table') return { data: 'images', ...pixelScaleOf(trained), classes }
  const table = tableEncodingOf(trained)
  const inputs = model.sample.kind === 'rows' ? model.sample.inputs : 0
  if (inputCount(table) !== inputs)
    throw bad(folder, `it takes ${inputs} inputs, its config.json makes ${inputCount(table)}`)
  if (table.target.task !== 'classification' || table.target.classes.length > classes)
    throw bad(folder, `it knows ${classes} classes, its config.json names others`)
  return { data: 'table', table }
}

/** Throws BAD_TEACHER where images are of another size than the teacher's. */
export function checkTeacherFits({ folder, model }: Teacher, shape: DataShape): void {
  if (shape.kind !== 'images') return
  const { config, sample } = model
  const { height, width, channels } = shape
  const seen = `${height} × ${width} × ${channels}`
  if (config.kind === 'cnn') {
    const wanted = `${config.height} × ${config.width} × ${config.channels}`
    if (seen !== wanted) throw bad(folder, `it takes images of ${wanted}, these are ${seen}`)
  } else if (sample.kind === 'rows' && sample.inputs !== height * width * channels) {
    throw bad(folder, `it takes images of ${sample.inputs} values, these are ${seen}`)
  }
}

const usage = (message: string): PotluckError => new PotluckError('BAD_USAGE', message)

const bad = (folder: string, why: string): PotluckError =>
  new PotluckError('BAD_TEACHER', `--teacher ${folder}: ${why}; name a model of the same rows and classes`, { folder })
