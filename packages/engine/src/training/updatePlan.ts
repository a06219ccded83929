import { layoutOf, sizeOfLayout } from '../model/layoutOf.ts'
import type { Model } from '../model/Model.ts'
import type { Parameter } from '../model/parameterLayout.ts'
import type { TrainingRecipe } from './TrainingRecipe.ts'

/** A flat f32 array of the training's state, with the parameters it holds a value for. */
export type StatePart = { readonly name: string; readonly layout: readonly Parameter[] }

/** What the state of a training is: the parameters, then the optimiser's tensors. Its order is that of the state root. */
export function stateParts(model: Model, { optimizer }: TrainingRecipe): readonly StatePart[] {
  const all = model.parameters
  const parameters = { name: 'parameters', layout: all }
  const moments = (layout: readonly Parameter[]): StatePart[] =>
    layout.length === 0 ? [] : ['moment1', 'moment2'].map((name) => ({ name, layout }))
  const momentum = (layout: readonly Parameter[]): StatePart[] =>
    layout.length === 0 ? [] : [{ name: 'momentum', layout }]
  switch (optimizer.kind) {
    case 'adamw':
      return [parameters, ...moments(all)]
    case 'sgd':
      return [parameters, ...momentum(all)]
    default: {
      const isMatrix = matricesOf(model)
      const matrices = layoutOf(all.filter(isMatrix))
      return [parameters, ...momentum(matrices), ...moments(layoutOf(all.filter((item) => !isMatrix(item))))]
    }
  }
}

/**
 * Which parameters Muon takes: matrices of hidden layers. Tables, the head and the last layer of a model of rows go by
 * AdamW, as its author advises.
 */
export function matricesOf(model: Model): (parameter: Parameter) => boolean {
  const isMatrix = ({ name, shape }: Parameter): boolean =>
    shape.length === 2 && !['tokens', 'positions', 'head'].includes(name)
  const last = model.sample.kind === 'rows' ? model.parameters.findLast(isMatrix) : undefined
  return (parameter) => isMatrix(parameter) && parameter.name !== last?.name
}

/** Numbers in the whole state. */
export const stateSize = (parts: readonly StatePart[]): number =>
  parts.reduce((sum, { layout }) => sum + sizeOfLayout(layout), 0)
