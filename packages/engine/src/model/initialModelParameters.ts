import { RandomStream, streamPurpose } from '../random/RandomStream.ts'
import { sizeOfLayout } from './layoutOf.ts'
import type { Model } from './Model.ts'
import type { Parameter } from './parameterLayout.ts'

/**
 * The untrained parameters of a model: a pure function of (config, seed). Element i of the flat array takes normal
 * number i of the stream `initialParameters`, step 0, times its parameter's standard deviation (E-14).
 */
export const initialModelParameters = (model: Model, seed: Uint8Array): Float32Array =>
  drawParameters(model.parameters, seed)

/** Values for a layout, as `initialModelParameters` says. */
export function drawParameters(layout: readonly Parameter[], seed: Uint8Array): Float32Array {
  const random = new RandomStream(seed, streamPurpose.initialParameters, 0)
  const parameters = new Float32Array(sizeOfLayout(layout))
  for (const { offset, size, start } of layout) {
    for (let i = offset; i < offset + size; i++) {
      if (start === 'one') parameters[i] = 1
      else if (start !== 0) parameters[i] = Math.fround(random.normal(i) * Math.fround(start))
    }
  }
  return parameters
}
