import { RandomStream, streamPurpose } from '../random/RandomStream.ts'
import type { LanguageConfig } from './LanguageConfig.ts'
import { parameterCount, parameterLayout } from './parameterLayout.ts'

/**
 * The untrained model: a pure function of (config, seed). Element i of the flat array takes normal number i of the
 * stream `initialParameters`, step 0, times its parameter's standard deviation (E-14).
 */
export function initialParameters(config: LanguageConfig, seed: Uint8Array): Float32Array {
  const random = new RandomStream(seed, streamPurpose.initialParameters, 0)
  const parameters = new Float32Array(parameterCount(config))
  for (const { offset, size, start } of parameterLayout(config)) {
    for (let i = offset; i < offset + size; i++) {
      if (start === 'one') parameters[i] = 1
      else if (start !== 0) parameters[i] = Math.fround(random.normal(i) * Math.fround(start))
    }
  }
  return parameters
}
