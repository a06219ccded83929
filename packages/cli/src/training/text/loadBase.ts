import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { flatModel, type LlamaMatrix, type ModelConfig, modelFromSafetensors, modelOf } from '@potluck/engine'
import { codeOf, PotluckError } from '@potluck/protocol'
import { readDataFile } from '../readDataFile.ts'
import { readTextTokenizer, type TextTokenizer } from './TextTokenizer.ts'

/** A trained model of texts to go on from. */
export type BaseModel = {
  readonly folder: string
  readonly config: ModelConfig & { readonly kind: 'llama' | 'gpt' }
  /** Laid out as its config says. */
  readonly parameters: Float32Array
  readonly tokenizer: TextTokenizer
}

/**
 * The model in a folder that `potluck train --text` wrote.
 *
 * @throws PotluckError FILE_MISSING; BAD_BASE where it is no model of texts; what reading its files throws
 */
export function loadBase(folder: string): BaseModel {
  const { config, weights } = modelFromSafetensors(readDataFile(join(folder, 'model.safetensors')))
  if (config?.kind !== 'llama' && config?.kind !== 'gpt') {
    throw bad(folder, `it holds ${config ? `a ${config.kind} model` : 'weights without a config'}`)
  }
  const { parameters, frozen } = flatModel(modelOf(config), weights)
  if (frozen.length > 0) throw bad(folder, 'its adapters are not worked in')
  let json: string
  try {
    json = readFileSync(join(folder, 'tokenizer.json'), 'utf8')
  } catch (cause) {
    throw bad(folder, `its tokenizer.json cannot be read (${codeOf(cause) ?? String(cause)})`)
  }
  const tokenizer = readTextTokenizer(json)
  if (tokenizer.tokenizer.size > config.vocabulary) {
    throw bad(folder, `its tokenizer has ${tokenizer.tokenizer.size} tokens, the model ${config.vocabulary}`)
  }
  return { folder, config, parameters, tokenizer }
}

const bad = (folder: string, why: string): PotluckError =>
  new PotluckError('BAD_BASE', `--base ${folder}: ${why}; name a folder that potluck train --text wrote`, { folder })

export type LoraWish = { readonly rank: number; readonly alpha: number }

/** All matrices of a layer: on the small models of one machine adapters on two of them learn too little. */
const matrices: readonly LlamaMatrix[] = ['query', 'key', 'value', 'out', 'gate', 'up', 'down']

/** Reads `--lora`: `RANK` or `RANK:ALPHA`, alpha twice the rank when left out. Throws BAD_USAGE. */
export function parseLora(text: string): LoraWish {
  const [, rank, alpha] = /^(\d{1,4})(?::(\d{1,5}(?:\.\d{1,6})?))?$/.exec(text) ?? []
  const wish = { rank: Number(rank), alpha: alpha === undefined ? 2 * Number(rank) : Number(alpha) }
  if (wish.rank >= 1 && wish.alpha > 0) return wish
  const seen = JSON.stringify(text.slice(0, 40))
  throw new PotluckError('BAD_USAGE', `--lora ${seen}: write RANK or RANK:ALPHA, as in 8:16`, { seen })
}

/** Config of what is trained: the base's own, or adapters on it. Throws BAD_USAGE for adapters on another kind than a llama. */
export function configOnBase({ config, folder }: BaseModel, lora: LoraWish | undefined): ModelConfig {
  if (lora === undefined) return config
  if (config.kind === 'llama') return { ...config, lora: { ...lora, matrices } }
  throw new PotluckError('BAD_USAGE', `--lora sits on a llama, ${folder} holds a ${config.kind}: leave --lora out`)
}
