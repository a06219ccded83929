import type { Model } from '../model/Model.ts'
import { type FlatPart, viewsOf } from '../model/modelScope.ts'
import { adamW } from '../operators/adamW.ts'
import { muon } from '../operators/muon.ts'
import { sgd } from '../operators/sgd.ts'
import type { Tensor } from '../program/Program.ts'
import type { ProgramBuilder } from '../program/ProgramBuilder.ts'
import { betasOf, numbersPerStep } from './schedule.ts'
import type { TrainingRecipe } from './TrainingRecipe.ts'
import { matricesOf, type StatePart } from './updatePlan.ts'

/** A part of the state with what replaces it after the step. */
export type CarriedPart = { readonly now: FlatPart; readonly next: FlatPart }

/** Makes the successor of a part and carries it. */
export function carried(builder: ProgramBuilder, { name, layout }: StatePart, now: FlatPart): CarriedPart {
  const flat = builder.tensor(`${name}.next`, now.flat.shape)
  builder.carry(flat, now.flat)
  return { now, next: viewsOf(builder, layout, flat) }
}

/** Writes the optimiser's operations for every parameter, in order of the layout. Adds the input `rates`. */
export function writeUpdate(
  builder: ProgramBuilder,
  model: Model,
  recipe: TrainingRecipe,
  parts: ReadonlyMap<string, CarriedPart>,
  gradients: readonly Tensor[],
): void {
  const { optimizer } = recipe
  const count = numbersPerStep(recipe)
  const rates = builder.input('rates', [count])
  const names = ['rate', 'decay', 'correction1', 'correction2', 'matrixRate', 'matrixDecay']
  const numbers = names.slice(0, count).map((name, i) => builder.view(name, rates, i, [1]))
  const [rate, decay, correction1, correction2, matrixRate, matrixDecay] = numbers as [Tensor, ...Tensor[]]
  const isMatrix = matricesOf(model)
  model.parameters.forEach((parameter, i) => {
    const { name, decays } = parameter
    const now = (part: string): Tensor => parts.get(part)!.now.views.get(name)!
    const next = (part: string): Tensor => parts.get(part)!.next.views.get(name)!
    const [w, g, into] = [now('parameters'), gradients[i]!, next('parameters')]
    const label = `${optimizer.kind}.${name}`
    const kept = decays && recipe.weightDecay ? decay! : null
    if (optimizer.kind === 'sgd') {
      const { momentum = 0, nesterov = false } = optimizer
      const moving = { rate, decay: kept }
      sgd(builder, label, { momentum, nesterov }, moving, [w, g, now('momentum')], [into, next('momentum')])
    } else if (optimizer.kind === 'muon' && isMatrix(parameter)) {
      const moving = { rate: matrixRate!, decay: kept && matrixDecay! }
      const { momentum = 0.95 } = optimizer
      muon(builder, label, { momentum, nesterov: true }, moving, [w, g, now('momentum')], [into, next('momentum')])
    } else {
      const moving = { rate, decay: kept, correction1: correction1!, correction2: correction2! }
      const state = [w, g, now('moment1'), now('moment2')] as const
      adamW(builder, label, betasOf(recipe), moving, state, [into, next('moment1'), next('moment2')])
    }
  })
}
