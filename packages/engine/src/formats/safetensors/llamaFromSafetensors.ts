import { PotluckError } from '@potluck/protocol'
import { checkModelConfig } from '../../model/checkModelConfig.ts'
import type { LlamaConfig } from '../../model/ModelConfig.ts'
import type { FileTensor } from '../FileTensor.ts'
import { refusal, shown } from '../refusal.ts'
import { repeatHeads } from '../repeatHeads.ts'
import { toFloat32 } from '../toFloat32.ts'
import { transposed, type Weight, type Weights } from '../Weights.ts'
import { readSafetensors } from './readSafetensors.ts'

/** Our name of a layer's parameter → its name in the files of Hugging Face, after `model.layers.N.`. */
const ofLayer: Readonly<Record<string, string>> = {
  'attention.gain': 'input_layernorm',
  'attention.query': 'self_attn.q_proj',
  'attention.key': 'self_attn.k_proj',
  'attention.value': 'self_attn.v_proj',
  'attention.out': 'self_attn.o_proj',
  'mlp.gain': 'post_attention_layernorm',
  'mlp.gate': 'mlp.gate_proj',
  'mlp.up': 'mlp.up_proj',
  'mlp.down': 'mlp.down_proj',
}

/**
 * A llama model as Hugging Face publishes it: `config.json` and one or more safetensors files in f32, f16 or bf16.
 *
 * Matrices are turned to [in, out]; queries and keys from halves to adjacent rotary pairs; shared key-value heads repeated.
 *
 * @throws PotluckError as `readSafetensors`; UNSUPPORTED_MODEL with the entry of the config that stands in the way; BAD_CONFIG; FORMAT_MISSING,
 * FORMAT_SHAPE, FORMAT_DUPLICATE with the tensor; NAN
 */
export function llamaFromSafetensors(
  configJson: string,
  files: readonly Uint8Array[],
): { config: LlamaConfig; weights: Weights } {
  const { config, groups } = readConfig(configJson)
  const tensors = new Map<string, FileTensor>()
  for (const file of files) {
    for (const [name, tensor] of readSafetensors(file).tensors) {
      if (tensors.has(name)) throw refusal('safetensors', 'FORMAT_DUPLICATE', `two files hold ${shown(name)}`)
      tensors.set(name, tensor)
    }
  }
  const { vocabulary: V, width: C, hidden, layers, heads } = config
  const D = C / heads
  const take = (name: string, shape: readonly number[]): Weight => {
    const tensor = tensors.get(name)
    if (!tensor) throw refusal('safetensors', 'FORMAT_MISSING', `there is no tensor ${name}`)
    if (tensor.shape.join() !== shape.join()) {
      const message = `tensor ${name} must have shape [${shape.join(', ')}], got [${tensor.shape.join(', ')}]`
      throw refusal('safetensors', 'FORMAT_SHAPE', message)
    }
    return { shape, values: toFloat32(tensor) }
  }
  const weights = new Map<string, Weight>([['tokens', take('model.embed_tokens.weight', [V, C])]])
  for (let layer = 0; layer < layers; layer++) {
    for (const [ours, theirs] of Object.entries(ofLayer)) {
      const [outputs, inputs] = extents(ours, C, hidden, groups * D)
      const name = `model.layers.${layer}.${theirs}.weight`
      const isGain = ours.endsWith('gain')
      let weight = isGain ? take(name, [C]) : transposed(take(name, [outputs, inputs]))
      if (/query|key$/.test(ours)) weight = adjacentPairs(weight, D)
      if (/key$|value$/.test(ours)) weight = repeatHeads(weight, groups, heads)
      weights.set(`layer${layer}.${ours}`, weight)
    }
  }
  weights.set('final.gain', take('model.norm.weight', [C]))
  if (!config.tie) weights.set('head', transposed(take('lm_head.weight', [V, C])))
  return { config, weights }
}

function extents(name: string, C: number, hidden: number, shared: number): [outputs: number, inputs: number] {
  if (name === 'mlp.down') return [C, hidden]
  if (name.startsWith('mlp')) return [hidden, C]
  return name.endsWith('key') || name.endsWith('value') ? [shared, C] : [C, C]
}

/** Columns j and j + D/2 of each head become 2j and 2j + 1. */
function adjacentPairs({ shape, values }: Weight, D: number): Weight {
  const half = D / 2
  const turned = values.map((_, i) => {
    const c = i % D
    return values[i - c + (c % 2 === 0 ? c / 2 : half + (c - 1) / 2)]!
  })
  return { shape, values: turned }
}

type Json = { readonly [key: string]: unknown }

function readConfig(text: string): { config: LlamaConfig; groups: number } {
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch (cause) {
    throw refusal(
      'safetensors',
      'FORMAT_HEADER',
      `config.json is not JSON (${cause instanceof Error ? cause.message : cause})`,
    )
  }
  if (typeof json !== 'object' || json === null)
    throw refusal('safetensors', 'FORMAT_HEADER', 'config.json is no object')
  const number = (key: string, otherwise?: number): number => {
    const value = json[key] ?? otherwise
    if (typeof value !== 'number') throw unsupported(key, json[key], 'a number')
    return value
  }
  const only = (key: string, allowed: unknown): void => {
    if ((json[key] ?? allowed) !== allowed) throw unsupported(key, json[key], shown(allowed))
  }
  const config: LlamaConfig = {
    kind: 'llama',
    vocabulary: number('vocab_size'),
    context: number('max_position_embeddings'),
    width: number('hidden_size'),
    layers: number('num_hidden_layers'),
    heads: number('num_attention_heads'),
    hidden: number('intermediate_size'),
    ropeBase: number('rope_theta', 10_000),
    tie: json.tie_word_embeddings === true,
  }
  checkModelConfig(config)
  const groups = number('num_key_value_heads', config.heads)
  if (!Number.isSafeInteger(groups) || groups < 1 || config.heads % groups !== 0) {
    throw unsupported('num_key_value_heads', groups, `a divisor of the ${config.heads} heads`)
  }
  only('model_type', 'llama')
  only('hidden_act', 'silu')
  only('attention_bias', false)
  only('mlp_bias', false)
  only('head_dim', config.width / config.heads)
  if (json.rope_scaling !== undefined) only('rope_scaling', null)
  if (number('rms_norm_eps', 1e-6) !== 1e-5) throw unsupported('rms_norm_eps', json.rms_norm_eps, '1e-5')
  return { config, groups }
}

const unsupported = (key: string, value: unknown, wanted: string): PotluckError =>
  new PotluckError('UNSUPPORTED_MODEL', `config.json: ${key} must be ${wanted}, got ${shown(value)}`, { key })
