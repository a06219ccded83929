import { PotluckError } from '@potluck/protocol'
import type { SequenceModel } from './decodePrograms.ts'
import { languageForm } from './forward.ts'
import type { LanguageConfig } from './LanguageConfig.ts'
import type { ModelConfig, SequenceConfig } from './ModelConfig.ts'
import { modelOf } from './modelOf.ts'
import { parameterLayout } from './parameterLayout.ts'
import { formOf } from './sequenceModel.ts'

/** The model that continues sequences for a config of any of the three kinds. Throws BAD_CONFIG. */
export function sequenceModelOf(config: SequenceConfig | LanguageConfig): SequenceModel {
  if (!('kind' in config)) {
    return { parameters: parameterLayout(config), frozen: [], constants: [], form: languageForm(config) }
  }
  if (!isSequenceConfig(config)) {
    throw new PotluckError('BAD_CONFIG', 'only llama, gpt and character models continue a text')
  }
  const { parameters, frozen, constants } = modelOf(config)
  return { parameters, frozen, constants, form: formOf(config) }
}

/** Whether a model continues sequences of tokens. */
export const isSequenceConfig = (config: ModelConfig): config is SequenceConfig =>
  config.kind === 'llama' || config.kind === 'gpt'
