import { checkModelConfig } from './checkModelConfig.ts'
import type { LlamaConfig } from './ModelConfig.ts'
import { checkWeights } from './ModelWeights.ts'
import { sequenceModel } from './sequenceModel.ts'

const f = Math.fround

/**
 * The weights of a llama model with its adapters worked in, laid out as those of the same config without `lora`:
 * w + (alpha/rank)·(a·b), the product summed from the first rank on, every step rounded to f32. So that other tools can
 * load the result; the outputs differ from those with adapters by rounding alone.
 *
 * @throws PotluckError BAD_CONFIG, SHAPE
 */
export function mergeLora(config: LlamaConfig, frozen: Float32Array, parameters: Float32Array): Float32Array {
  checkModelConfig(config)
  const model = sequenceModel(config)
  if (!config.lora) return parameters.slice()
  checkWeights(model, { parameters, frozen })
  const { rank, alpha } = config.lora
  const scale = f(alpha / rank)
  const places = new Map(model.parameters.map(({ name, offset }) => [name, offset]))
  const merged = frozen.slice()
  for (const { name, offset, shape } of model.frozen) {
    const [a, b] = [places.get(`${name}.a`), places.get(`${name}.b`)]
    if (a === undefined || b === undefined) continue
    const [inputs = 1, outputs = 1] = shape
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        let sum = 0
        for (let r = 0; r < rank; r++) {
          sum = f(sum + f(parameters[a + i * rank + r]! * parameters[b + r * outputs + o]!))
        }
        const at = offset + i * outputs + o
        merged[at] = f(merged[at]! + f(scale * sum))
      }
    }
  }
  return merged
}
