import { llamaToGguf, modelToOnnx, modelToSafetensors, modelWeights } from '@potluck/engine'
import { replaceFile } from './checkpointFile.ts'
import type { PreparedRun } from './prepareRun.ts'
import type { RunLayout } from './trainingFolder.ts'

/**
 * Writes the files that others can use: parameters (safetensors), config with what makes inputs of raw data, tokenizer, ONNX, and GGUF where
 * the model is a llama.
 *
 * @returns their paths
 */
export function exportModel(run: PreparedRun, parameters: Float32Array, layout: RunLayout): string[] {
  const { model, config, data } = run
  const weights = modelWeights(model, parameters)
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
