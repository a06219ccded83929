import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { flatModel, type Model, modelFromSafetensors, modelOf } from '@potluck/engine'
import { type Hex, PotluckError, sha256, toHex } from '@potluck/protocol'
import { readDataFile } from '../training/readDataFile.ts'

/** A model with what makes inputs of raw data. */
export type TrainedModel = {
  readonly folder: string
  readonly model: Model
  readonly parameters: Float32Array
  /** SHA-256 of its file. */
  readonly hash: Hex
  /** How raw data becomes inputs, as it was trained. */
  readonly input: Readonly<Record<string, unknown>> & { readonly data: 'table' | 'images' | 'text' }
}

/**
 * The model in a folder that `potluck train` wrote.
 *
 * @throws PotluckError FILE_MISSING; BAD_MODEL where the folder does not hold one; what reading the model throws
 */
export function loadTrained(folder: string): TrainedModel {
  const bytes = readDataFile(join(folder, 'model.safetensors'))
  const { config, weights } = modelFromSafetensors(bytes)
  if (!config) throw bad(folder, 'its model.safetensors says nothing of its config')
  const model = modelOf(config)
  const { parameters } = flatModel(model, weights)
  return { folder, model, parameters, hash: toHex(sha256(bytes)), input: inputOf(folder) }
}

function inputOf(folder: string): TrainedModel['input'] {
  let input: { data?: unknown } | undefined
  try {
    input = (JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { input?: typeof input }).input
  } catch (cause) {
    throw bad(folder, `its config.json cannot be read (${(cause as Error).message})`)
  }
  if (input?.data === 'table' || input?.data === 'images' || input?.data === 'text')
    return input as TrainedModel['input']
  throw bad(folder, 'its config.json does not say what its inputs are made of')
}

const bad = (folder: string, why: string): PotluckError =>
  new PotluckError('BAD_MODEL', `${folder}: ${why}; name a folder that potluck train wrote`, { folder })
