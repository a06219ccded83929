import type { Tape } from '../operators/Tape.ts'
import type { Tensor } from '../program/Program.ts'
import type { ProgramBuilder } from '../program/ProgramBuilder.ts'
import { sizeOfLayout } from './layoutOf.ts'
import type { ForwardScope, Model } from './Model.ts'
import type { Parameter } from './parameterLayout.ts'

/** A flat array of a program with a view for each of its parameters. */
export type FlatPart = { readonly flat: Tensor; readonly views: ReadonlyMap<string, Tensor> }

/** What every program of a model reads: its parameters, its fixed base and its tables. */
export type ModelInputs = { readonly parameters: FlatPart; find(name: string): Tensor; constant(name: string): Tensor }

export function viewsOf(builder: ProgramBuilder, layout: readonly Parameter[], flat: Tensor): FlatPart {
  const entries = layout.map(
    ({ name, offset, shape }) => [name, builder.view(`${flat.name}.${name}`, flat, offset, shape)] as const,
  )
  return { flat, views: new Map(entries) }
}

/** Declares the inputs `parameters`, `frozen` (where there is a fixed base) and the model's tables by name. */
export function modelInputs(
  builder: ProgramBuilder,
  model: Pick<Model, 'parameters' | 'frozen' | 'constants'>,
): ModelInputs {
  const part = (name: string, layout: readonly Parameter[]): FlatPart =>
    viewsOf(builder, layout, builder.input(name, [sizeOfLayout(layout)]))
  const parameters = part('parameters', model.parameters)
  const frozen = model.frozen.length > 0 ? part('frozen', model.frozen).views : new Map<string, Tensor>()
  const constants = new Map(model.constants.map(({ name, shape }) => [name, builder.input(name, shape)]))
  return {
    parameters,
    find: (name) => parameters.views.get(name) ?? frozen.get(name)!,
    constant: (name) => constants.get(name)!,
  }
}

/** A scope without dropout and without checkpointing: evaluation and generation. */
export function plainScope(tape: Tape, inputs: ModelInputs, B: number): ForwardScope {
  return {
    tape,
    B,
    weight: inputs.find,
    constant: inputs.constant,
    drop: (_tape, _site, x) => x,
    layer: (name, x, body) => tape.builder.within(name, () => body(tape, x)),
  }
}

/** Rows of logits or predictions that B samples give. */
export const rowsOf = (model: Model, B: number): number =>
  model.sample.kind === 'tokens' ? B * model.sample.context : B

/** Declares an input for B samples: i32 [B·T] tokens or f32 [B, inputs]. */
export const sampleInput = (builder: ProgramBuilder, model: Model, name: string, B: number): Tensor =>
  model.sample.kind === 'tokens'
    ? builder.input(name, [B * model.sample.context], 'i32')
    : builder.input(name, [B, model.sample.inputs])
