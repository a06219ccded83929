import { createHash } from 'node:crypto'
import {
  type Model,
  type ModelConfig,
  modelOf,
  planTraining,
  type TrainingPlan,
  type TrainingRecipe,
} from '@potluck/engine'
import { matchingConfig } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import { asStudent } from '../distillation/asStudent.ts'
import { checkTeacherFits, loadTeacher, type Teacher } from '../distillation/loadTeacher.ts'
import type { RunIdentity } from './checkpointFile.ts'
import { chooseConfig } from './chooseConfig.ts'
import { chooseRecipe, type RecipeWishes } from './chooseRecipe.ts'
import { hashData, type LoadedData, sizeOfData } from './LoadedData.ts'
import { type DataOptions, loadData } from './loadData.ts'
import { checkMemory, type MemoryNeed, shownBytes } from './memoryLimit.ts'
import { readModelFile, type WrittenConfig } from './readModelFile.ts'
import { type BaseModel, configOnBase, loadBase, parseLora } from './text/loadBase.ts'

export type RunOptions = DataOptions &
  RecipeWishes & {
    /** A kind of model, a file with a config, or the config itself. */
    readonly model?: string | WrittenConfig | undefined
    /** Folder of a trained model of texts to go on from. */
    readonly base?: string | undefined
    /** Adapters on it: rank, or rank:alpha. */
    readonly lora?: string | undefined
    /** Folder of a trained model whose answers are learned in place of labels. */
    readonly teacher?: string | undefined
    readonly seed: number
  }

/** All that decides the bits of a run, found before it starts. */
export type PreparedRun = {
  readonly data: LoadedData
  readonly config: ModelConfig
  readonly model: Model
  readonly recipe: TrainingRecipe
  readonly seed: Uint8Array
  readonly identity: RunIdentity
  readonly plan: TrainingPlan
  /** What is trained begins with, where that is given. */
  readonly start: StartingModel
  /** Its logits are what is learned. */
  readonly teacher?: Teacher | undefined
  /** What will happen, for a person. */
  readonly lines: readonly string[]
}

/** The weights a run begins with; those of a new model follow from the seed. */
export type StartingModel = {
  readonly parameters?: Float32Array
  /** The fixed base below adapters. */
  readonly frozen?: Float32Array<ArrayBuffer>
  /** Tells one base from another. */
  readonly identity?: string
}

/** The 32 bytes that a seed written as a number stands for. */
export const seedBytes = (seed: number): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`potluck train ${seed}`).digest())

/**
 * Reads the data, chooses model and recipe, and checks that the run fits into memory.
 *
 * @param available bytes this machine can still give
 * @throws PotluckError what loading and choosing throw; OUT_OF_MEMORY
 */
export function prepareRun(options: RunOptions, available: number): PreparedRun {
  const seed = seedBytes(options.seed)
  const base = baseOf(options)
  const teacher = options.teacher === undefined ? undefined : loadTeacher(options.teacher, options)
  const data = loadData(options, seed, base?.model, teacher?.encoding)
  if (teacher) checkTeacherFits(teacher, data.shape)
  const written = writtenConfig(options)
  const config = base?.config ?? chooseConfig(data.shape, teacher ? asStudent(written) : written)
  const learned = teacher ? matchingConfig(config) : config
  const start = startOf(base)
  const recipe = chooseRecipe(learned, data.shape, options)
  const plan = planTraining(learned, recipe)
  const dataBytes = sizeOfData(data.train, data.valid, data.test) + (teacher ? logitBytes(teacher, data) : 0)
  const needOf = (batch: number): MemoryNeed =>
    runNeed(batch === recipe.batch ? plan : planTraining(learned, { ...recipe, batch }), dataBytes)
  const need = needOf(recipe.batch)
  checkMemory(need, available, { batch: recipe.batch, recompute: options.recompute, needOf })
  const identity = {
    model: JSON.stringify(config),
    recipe: JSON.stringify(recipe),
    seed: String(options.seed),
    data: hashData(data.train, data.valid),
    ...(start.identity === undefined ? {} : { base: start.identity }),
    ...(teacher ? { teacher: teacher.hash } : {}),
  }
  const { steps, batch, learningRate, optimizer } = recipe
  return {
    data,
    config,
    model: modelOf(config),
    recipe,
    seed,
    identity,
    plan,
    start,
    teacher,
    lines: [
      ...data.lines,
      ...(teacher
        ? [
            `teacher ${describeConfig(teacher.model.config)}: ${teacher.params} parameters; loss is the squared error of its logits`,
          ]
        : []),
      `model ${describeConfig(config)}: ${plan.parameters} parameters`,
      `${steps} steps of ${batch}, ${optimizer.kind} at ${learningRate}; ${shownFlops(plan.flopsPerStep)} a step`,
      `memory at its peak: ${shownBytes(need.planBytes)} for a step, ${shownBytes(need.otherBytes)} for data and state; ${shownBytes(available)} are free`,
    ],
  }
}

export const writtenConfig = ({ model }: Pick<RunOptions, 'model'>): WrittenConfig | undefined =>
  typeof model === 'string' ? readModelFile(model) : model

export type ChosenBase = { readonly model: BaseModel; readonly config: ModelConfig }

/** The model to go on from and what of it is trained. Throws BAD_USAGE where options do not go together. */
export function baseOf({ base, lora, model }: Pick<RunOptions, 'base' | 'lora' | 'model'>): ChosenBase | undefined {
  const usage = (message: string): PotluckError => new PotluckError('BAD_USAGE', message)
  if (base === undefined) {
    if (lora === undefined) return undefined
    throw usage('--lora puts adapters on a trained model: name its folder with --base FOLDER')
  }
  if (model !== undefined) throw usage('--base brings its own config: leave --model out')
  const loaded = loadBase(base)
  return { model: loaded, config: configOnBase(loaded, lora === undefined ? undefined : parseLora(lora)) }
}

export function startOf(base: ChosenBase | undefined): StartingModel {
  if (!base) return {}
  const { parameters } = base.model
  const identity = createHash('sha256').update(
    new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength),
  )
  const isFrozen = base.config.kind === 'llama' && base.config.lora !== undefined
  return { ...(isFrozen ? { frozen: parameters.slice() } : { parameters }), identity: identity.digest('hex') }
}

/** What the process holds besides the run, measured: the runtime, the code, the engine's own tables. */
export const PROCESS_BYTES = 192 * 2 ** 20
/** Arrays of the size of all parameters outside the step's program: the state of a checkpoint, the bytes it is written as, the best. */
const COPIES = 8

/** Of all classes for each row, beside the rows. */
const logitBytes = ({ model }: Teacher, { train, valid }: LoadedData): number =>
  [train, valid].reduce(
    (sum, rows) =>
      sum +
      (rows.kind === 'rows' && model.target.kind === 'classes' ? 4 * model.target.classes * rows.targets.length : 0),
    0,
  )

const runNeed = ({ parameters, frozen, peakBytes }: TrainingPlan, dataBytes: number): MemoryNeed => ({
  planBytes: peakBytes,
  otherBytes: dataBytes + 4 * (parameters + frozen) * COPIES + PROCESS_BYTES,
})

export function describeConfig({ kind, ...fields }: ModelConfig): string {
  const shownField = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return String(value)
    if (!Array.isArray(value)) return Object.values(value).map(shownField).join('/')
    return value.map(shownField).join(' ') || 'none'
  }
  const shown = Object.entries(fields).map(([name, value]) => `${name} ${shownField(value)}`)
  return `${kind} (${shown.join(', ')})`
}

export const shownFlops = (flops: number): string =>
  flops < 1e8 ? `${(flops / 1e6).toFixed(2)} MFLOP` : `${(flops / 1e9).toFixed(2)} GFLOP`
