import { createHash } from 'node:crypto'
import {
  type Model,
  type ModelConfig,
  modelOf,
  planTraining,
  type TrainingPlan,
  type TrainingRecipe,
} from '@potluck/engine'
import type { RunIdentity } from './checkpointFile.ts'
import { chooseConfig } from './chooseConfig.ts'
import { chooseRecipe, type RecipeWishes } from './chooseRecipe.ts'
import { hashData, type LoadedData, sizeOfData } from './LoadedData.ts'
import { type DataOptions, loadData } from './loadData.ts'
import { checkMemory, type MemoryNeed, shownBytes } from './memoryLimit.ts'
import { readModelFile } from './readModelFile.ts'

export type RunOptions = DataOptions &
  RecipeWishes & {
    /** A kind of model, or a file with a config. */
    readonly model?: string | undefined
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
  /** What will happen, for a person. */
  readonly lines: readonly string[]
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
  const written = options.model === undefined ? undefined : readModelFile(options.model)
  const seed = seedBytes(options.seed)
  const data = loadData(options, seed)
  const config = chooseConfig(data.shape, written)
  const recipe = chooseRecipe(config, data.shape, options)
  const plan = planTraining(config, recipe)
  const dataBytes = sizeOfData(data.train, data.valid, data.test)
  const needOf = (batch: number): MemoryNeed =>
    runNeed(batch === recipe.batch ? plan : planTraining(config, { ...recipe, batch }), dataBytes)
  const need = needOf(recipe.batch)
  checkMemory(need, available, { batch: recipe.batch, recompute: options.recompute, needOf })
  const identity = {
    model: JSON.stringify(config),
    recipe: JSON.stringify(recipe),
    seed: String(options.seed),
    data: hashData(data.train, data.valid),
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
    lines: [
      ...data.lines,
      `model ${describeConfig(config)}: ${plan.parameters} parameters`,
      `${steps} steps of ${batch}, ${optimizer.kind} at ${learningRate}; ${shownFlops(plan.flopsPerStep)} a step`,
      `memory at its peak: ${shownBytes(need.planBytes)} for a step, ${shownBytes(need.otherBytes)} for data and state; ${shownBytes(available)} are free`,
    ],
  }
}

/** What the process holds besides the run, measured: the runtime, the code, the engine's own tables. */
const PROCESS_BYTES = 192 * 2 ** 20
/** Arrays of the size of all parameters outside the step's program: the state of a checkpoint, the bytes it is written as, the best. */
const COPIES = 8

const runNeed = ({ parameters, peakBytes }: TrainingPlan, dataBytes: number): MemoryNeed => ({
  planBytes: peakBytes,
  otherBytes: dataBytes + 4 * parameters * COPIES + PROCESS_BYTES,
})

function describeConfig({ kind, ...fields }: ModelConfig): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    const items = Array.isArray(value)
      ? value.map((item) => (typeof item === 'object' ? Object.values(item).join('/') : item))
      : [value]
    return `${name} ${items.join(' ') || 'none'}`
  })
  return `${kind} (${shown.join(', ')})`
}

const shownFlops = (flops: number): string =>
  flops < 1e8 ? `${(flops / 1e6).toFixed(2)} MFLOP` : `${(flops / 1e9).toFixed(2)} GFLOP`
