import { checkModelConfig } from '../../model/checkModelConfig.ts'
import type { ModelConfig } from '../../model/ModelConfig.ts'
import { formOf } from '../../model/sequenceModel.ts'
import { refusal } from '../refusal.ts'
import { checkPlain, type Weights } from '../Weights.ts'
import { OnnxGraph } from './OnnxGraph.ts'
import { rowModelToOnnx } from './rowModelToOnnx.ts'
import { transformerToOnnx } from './transformerToOnnx.ts'

/** Protocol buffers end at 2 GiB; a sixteenth is left for the graph and its tables. */
const MAX_WEIGHT_BYTES = 0x78000000

/**
 * A model of any kind as an ONNX file (operator set 18): its inference graph with f32 weights inside. Dropout is left out.
 *
 * Rows: `inputs` f32 [batch, numbers] → `logits`, `probabilities` [batch, classes], or `predictions`. Sequences: `input_ids` int64 [batch, time] →
 * `logits` [batch, time, V].
 *
 * @param weights without adapters: `plainWeights`
 * @throws PotluckError BAD_CONFIG; BAD_WEIGHTS; FORMAT_MISSING for a weight that is not there; FORMAT_LIMIT above 2 GiB, where ONNX ends
 */
export function modelToOnnx(config: ModelConfig, weights: Weights): Uint8Array {
  checkModelConfig(config)
  checkPlain(weights)
  const bytes = [...weights.values()].reduce((sum, { values }) => sum + values.byteLength, 0)
  if (bytes > MAX_WEIGHT_BYTES) {
    throw refusal(
      'ONNX',
      'FORMAT_LIMIT',
      `weights of ${bytes} bytes, one file holds ${MAX_WEIGHT_BYTES}: write GGUF or safetensors`,
    )
  }
  const graph = new OnnxGraph()
  if (config.kind === 'llama' || config.kind === 'gpt') {
    const ropeBase = config.kind === 'llama' ? (config.ropeBase ?? 10_000) : 0
    transformerToOnnx(graph, formOf(config), weights, ropeBase)
  } else rowModelToOnnx(graph, config, weights)
  return graph.encode(`potluck-${config.kind}`)
}
