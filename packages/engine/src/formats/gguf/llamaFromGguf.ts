import { PotluckError } from '@potluck/protocol'
import { checkModelConfig } from '../../model/checkModelConfig.ts'
import type { LlamaConfig } from '../../model/ModelConfig.ts'
import { refusal, shown } from '../refusal.ts'
import { repeatHeads } from '../repeatHeads.ts'
import { toFloat32 } from '../toFloat32.ts'
import { transposed, type Weight, type Weights } from '../Weights.ts'
import { llamaNames } from './llamaNames.ts'
import { type GgufFile, readGguf } from './readGguf.ts'

/** A model with more layers than this is not read: the count comes from a stranger's file. */
const MAX_LAYERS = 4096

/**
 * A llama model out of a GGUF file with f32, f16 or bf16 tensors.
 *
 * Only what this engine computes: rotary positions over whole heads without scaling, no biases, no experts. Shared key-value heads are repeated.
 *
 * @throws PotluckError as `readGguf`; UNSUPPORTED_MODEL with the entry that stands in the way; FORMAT_MISSING; FORMAT_SHAPE; BAD_CONFIG; NAN
 */
export function llamaFromGguf(file: Uint8Array): { config: LlamaConfig; weights: Weights } {
  const { metadata, tensors } = readGguf(file)
  const read = { metadata, tensors }
  const architecture = metadata.get('general.architecture')
  if (architecture?.type !== 'string' || architecture.value !== 'llama') {
    throw unsupported(
      'general.architecture',
      `is ${architecture?.type === 'string' ? shown(architecture.value) : 'absent'}`,
    )
  }
  const [width, layers, heads] = ['embedding_length', 'block_count', 'attention.head_count'].map((key) =>
    numberOf(read, key),
  ) as [number, number, number]
  const config: LlamaConfig = {
    kind: 'llama',
    vocabulary: tensors.get('token_embd.weight')?.shape[0] ?? 0,
    context: numberOf(read, 'context_length'),
    width,
    layers,
    heads,
    hidden: numberOf(read, 'feed_forward_length'),
    ropeBase: numberOf(read, 'rope.freq_base', 10000),
    tie: !tensors.has('output.weight'),
  }
  checkModelConfig(config)
  if (layers > MAX_LAYERS) throw unsupported('block_count', `is ${layers}, at most ${MAX_LAYERS}`)
  checkSupported(read, config)
  const groups = numberOf(read, 'attention.head_count_kv', heads)
  if (!Number.isSafeInteger(groups) || groups < 1 || heads % groups !== 0) {
    throw unsupported('llama.attention.head_count_kv', `is ${groups}, no divisor of the ${heads} heads`)
  }
  const weights = new Map<string, Weight>()
  const names = llamaNames(layers, config.tie === true)
  for (const { ours, gguf, isTransposed } of names) {
    const tensor = tensors.get(gguf)
    if (!tensor) throw refusal('GGUF', 'FORMAT_MISSING', `there is no tensor ${gguf}`)
    const isShared = /\.(key|value)$/.test(ours)
    const shape = isShared ? [width, (groups * width) / heads] : expectedShape(ours, config)
    const theirs = isTransposed ? [...shape].reverse() : shape
    if (tensor.shape.join() !== theirs.join()) {
      const message = `tensor ${gguf} must have shape [${theirs.join(', ')}], got [${tensor.shape.join(', ')}]`
      throw refusal('GGUF', 'FORMAT_SHAPE', message)
    }
    const weight = { shape: tensor.shape, values: toFloat32(tensor) }
    const turned = isTransposed ? transposed(weight) : weight
    weights.set(ours, isShared ? repeatHeads(turned, groups, heads) : turned)
  }
  const known = new Set(names.map(({ gguf }) => gguf))
  // llama.cpp keeps a table of frequencies beside some models: it changes the rotary angles.
  const other = [...tensors.keys()].find((name) => !known.has(name))
  if (other !== undefined) throw unsupported(other.slice(0, 63), 'is a tensor that a plain llama does not have')
  return { config, weights }
}

const unsupported = (what: string, why: string): PotluckError =>
  new PotluckError('UNSUPPORTED_MODEL', `GGUF: ${what} ${why}; only plain llama models are read`, { what })

function numberOf({ metadata }: GgufFile, key: string, otherwise?: number): number {
  const entry = metadata.get(`llama.${key}`)
  if (entry === undefined && otherwise !== undefined) return otherwise
  if (entry === undefined) throw refusal('GGUF', 'FORMAT_MISSING', `there is no metadata entry llama.${key}`)
  if (entry.type === 'u64') return Number(entry.value)
  if (typeof entry !== 'object' || !('value' in entry) || typeof entry.value !== 'number') {
    throw refusal('GGUF', 'FORMAT_TYPE', `metadata llama.${key} is a ${entry.type}, expected a number`)
  }
  return entry.value
}

function checkSupported(file: GgufFile, { heads, width }: LlamaConfig): void {
  const D = width / heads
  const turned = numberOf(file, 'rope.dimension_count', D)
  if (turned !== D) throw unsupported('llama.rope.dimension_count', `is ${turned}, a head has ${D} channels`)
  const epsilon = Math.fround(numberOf(file, 'attention.layer_norm_rms_epsilon'))
  if (epsilon !== Math.fround(1e-5)) {
    throw unsupported('llama.attention.layer_norm_rms_epsilon', `is ${epsilon}, this engine computes with 1e-5`)
  }
  for (const key of file.metadata.keys()) {
    if (key.startsWith('llama.rope.scal')) {
      const entry = file.metadata.get(key)
      if (entry?.type === 'string' && entry.value === 'none') continue
      throw unsupported(key.slice(0, 63), 'scales rotary positions')
    }
  }
}

function expectedShape(name: string, { vocabulary: V, width: C, hidden }: LlamaConfig): readonly number[] {
  if (name === 'tokens') return [V, C]
  if (name === 'head') return [C, V]
  if (name.endsWith('gain')) return [C]
  if (name.endsWith('mlp.down')) return [hidden, C]
  return name.includes('.mlp.') ? [C, hidden] : [C, C]
}
