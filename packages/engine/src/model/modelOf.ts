import { checkModelConfig } from './checkModelConfig.ts'
import { cnnModel } from './cnnModel.ts'
import type { Model } from './Model.ts'
import type { ModelConfig } from './ModelConfig.ts'
import { logisticModel, mlpModel } from './rowModels.ts'
import { sequenceModel } from './sequenceModel.ts'

/** The model that a config describes. Throws BAD_CONFIG with the field and the value seen. */
export function modelOf(config: ModelConfig): Model {
  checkModelConfig(config)
  switch (config.kind) {
    case 'logistic':
      return logisticModel(config)
    case 'mlp':
      return mlpModel(config)
    case 'cnn':
      return cnnModel(config)
    default:
      return sequenceModel(config)
  }
}
