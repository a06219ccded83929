import type { ModelConfig } from '../../model/ModelConfig.ts'
import { modelOf } from '../../model/modelOf.ts'
import { refusal } from '../refusal.ts'
import { toFloat32 } from '../toFloat32.ts'
import { transposed, type Weight, type Weights } from '../Weights.ts'
import { readOnnx } from './readOnnx.ts'

/**
 * The weights of a model out of an ONNX file that names them as `modelToOnnx` does. The graph is not looked at: the caller says what the model is.
 *
 * With adapters in the config the weights are those of the base, into which the file has folded them.
 *
 * @throws PotluckError as `readOnnx`; BAD_CONFIG; FORMAT_MISSING, FORMAT_SHAPE with the weight; NAN
 */
export function modelFromOnnx(config: ModelConfig, file: Uint8Array): Weights {
  const { tensors } = readOnnx(file)
  const model = modelOf(config)
  const weights = new Map<string, Weight>()
  // Below adapters lies the whole model; they themselves are in no file.
  for (const { name, shape } of model.frozen.length > 0 ? model.frozen : model.parameters) {
    const tensor = tensors.get(name)
    if (!tensor) throw refusal('ONNX', 'FORMAT_MISSING', `there is no weight ${name}`)
    const values = toFloat32(tensor)
    // [O, C, kh, kw] is, as [O, C·kh·kw], the transpose of ours.
    const [O = 1, ...rest] = tensor.shape
    const stored: Weight =
      tensor.shape.length === 4
        ? transposed({ shape: [O, rest.reduce((product, extent) => product * extent, 1)], values })
        : { shape: tensor.shape, values }
    if (stored.shape.join() !== shape.join()) {
      const message = `weight ${name} must have shape [${shape.join(', ')}], got [${stored.shape.join(', ')}]`
      throw refusal('ONNX', 'FORMAT_SHAPE', message)
    }
    weights.set(name, stored)
  }
  return weights
}
