import { checkModelConfig } from '../../model/checkModelConfig.ts'
import type { ModelConfig } from '../../model/ModelConfig.ts'
import { float32Tensor } from '../FileTensor.ts'
import { refusal } from '../refusal.ts'
import { toFloat32 } from '../toFloat32.ts'
import type { Weight, Weights } from '../Weights.ts'
import { readSafetensors } from './readSafetensors.ts'
import { byName, writeSafetensors } from './writeSafetensors.ts'

/** Where the config stands in the metadata. */
const CONFIG = 'potluck.model'

/** A model as a safetensors file: one f32 tensor per weight, the config in the metadata. Equal models give equal bytes. */
export function modelToSafetensors(
  config: ModelConfig,
  weights: Weights,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = [...weights].map(([name, { shape, values }]) => float32Tensor(name, shape, values))
  return writeSafetensors(tensors, { ...metadata, [CONFIG]: sortedJson(config) })
}

/**
 * The model in a file written by `modelToSafetensors`, or the bare weights of any other safetensors file, in f32.
 *
 * @throws PotluckError as `readSafetensors`; BAD_CONFIG; NAN; FORMAT_HEADER for a config that is not JSON
 */
export function modelFromSafetensors(file: Uint8Array): { config: ModelConfig | undefined; weights: Weights } {
  const { tensors, metadata } = readSafetensors(file)
  const text = metadata[CONFIG]
  const config = text === undefined ? undefined : parseConfig(text)
  const weights = new Map<string, Weight>()
  for (const [name, tensor] of tensors) weights.set(name, { shape: tensor.shape, values: toFloat32(tensor) })
  return { config, weights }
}

function parseConfig(text: string): ModelConfig {
  let config: ModelConfig
  try {
    config = JSON.parse(text) as ModelConfig
  } catch (cause) {
    throw refusal(
      'safetensors',
      'FORMAT_HEADER',
      `${CONFIG} is not JSON (${cause instanceof Error ? cause.message : cause})`,
    )
  }
  checkModelConfig(config)
  return config
}

/** JSON with the keys of every object sorted. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => byName(a, b)))
  })
}
