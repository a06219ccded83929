import { drawParameters } from './initialModelParameters.ts'
import type { LanguageConfig } from './LanguageConfig.ts'
import { parameterLayout } from './parameterLayout.ts'

/** The untrained character model: a pure function of (config, seed), drawn as `initialModelParameters` says (E-14). */
export const initialParameters = (config: LanguageConfig, seed: Uint8Array): Float32Array =>
  drawParameters(parameterLayout(config), seed)
