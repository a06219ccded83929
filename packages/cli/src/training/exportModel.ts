import { llamaToGguf, type ModelConfig, modelToOnnx, modelToSafetensors, plainWeights } from '@potluck/engine'
import { replaceFile } from './checkpointFile.ts'
import type { PreparedRun } from './prepareRun.ts'
import type { RunLayout } from './trainingFolder.ts'

/**
 * Writes the files that others can use: parameters (safetensors), config with what makes inputs of raw data, tokenizer, ONNX, and GGUF where
 * the model is a llama. Adapters are worked into the matrices.
 *
 * @returns their paths
 */
export function exportModel(run: PreparedRun, parameters: Float32Array, layout: RunLayout): string[] {
  const { model, data, start } = run
  const config = plainConfig(run.config)
  const weights = plainWeights(model, parameters, start.frozen)
  const files: [string, Uint8Array | string][] = [
    ['model.safetensors', modelToSafetensors(config, weights)],
    ['config.json', `${JSON.stringify({ ...config, input: data.encoding }, null, 2)}\n`],
    ...Object.entries(data.files),
    ['model.onnx', modelToOnnx(config, weights)],
  ]
  if (config.kind === 'llama' && data.text) files.push(['model.gguf', llamaToGguf(config, weights, data.text.gguf)])
  for (const [name, content] of files) replaceFile(layout.in(name), content)
  return files.map(([name]) => layout.in(name))
}

/** The config that other programs know: without adapters. */
export function plainConfig(config: ModelConfig): ModelConfig {
  if (config.kind !== 'llama') return config
  const { lora: _, ...plain } = config
  return plain
}
