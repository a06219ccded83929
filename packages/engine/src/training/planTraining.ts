import { sizeOfLayout } from '../model/layoutOf.ts'
import type { ModelConfig } from '../model/ModelConfig.ts'
import { modelOf } from '../model/modelOf.ts'
import { planMemory } from '../program/memoryPlan.ts'
import type { Operation } from '../program/Program.ts'
import { evaluationProgram, samplesPerRun } from './evaluateModel.ts'
import { stepProgram } from './stepProgram.ts'
import { checkTrainingRecipe, type TrainingRecipe } from './TrainingRecipe.ts'

export type TrainingPlan = {
  /** Numbers that are trained. */
  readonly parameters: number
  /** Numbers held fixed below adapters. */
  readonly frozen: number
  /** Memory of one step at its highest: parameters, optimiser, everything kept for the gradient. */
  readonly peakBytes: number
  /** Memory of an evaluation beside the step, where there is validation data. */
  readonly evaluationBytes: number
  /** Additions, multiplications and the like of one step; a multiply-add counts as two. */
  readonly flopsPerStep: number
  /** Operations of one step. */
  readonly operations: number
}

/**
 * What a training will need, before it runs: writes the program and plans its memory, computes nothing.
 *
 * @throws PotluckError BAD_CONFIG, BAD_RECIPE
 */
export function planTraining(config: ModelConfig, recipe: TrainingRecipe): TrainingPlan {
  checkTrainingRecipe(recipe)
  const model = modelOf(config)
  const program = stepProgram(model, recipe)
  return {
    parameters: sizeOfLayout(model.parameters),
    frozen: sizeOfLayout(model.frozen),
    peakBytes: planMemory(program, 0).peakBytes,
    evaluationBytes: planMemory(evaluationProgram(model, samplesPerRun(model)), 0).peakBytes,
    flopsPerStep: program.operations.reduce((sum, operation) => sum + flopsOf(operation), 0),
    operations: program.operations.length,
  }
}

// What an instruction of a scalar program counts: moving and naming are free.
const free = new Set(['input', 'constant', 'integer', 'bits', 'fromBits'])

function flopsOf(operation: Operation): number {
  switch (operation.kind) {
    case 'matmul':
      return 2 * operation.groups * operation.subgroups * operation.M * operation.N * operation.K
    case 'gatherRows':
    case 'window':
    case 'windowSum':
      return 0
    case 'scatterAddRows':
      return operation.rows * operation.columns
    default: {
      const work = operation.scalar.instructions.filter((item) => !free.has(item.operation)).length
      return operation.rows * operation.columns * (work + (operation.kind === 'map' ? 0 : 1))
    }
  }
}
