import { sizeOfLayout } from '../model/layoutOf.ts'
import { lossOf } from '../model/lossOf.ts'
import type { Model } from '../model/Model.ts'
import { type FlatPart, type ModelInputs, modelInputs, rowsOf, viewsOf } from '../model/modelScope.ts'
import { clipByNorm, globalNorm } from '../operators/clip.ts'
import { addition, product, scalar, type Three } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import { type Program, sizeOf, type Tensor } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import type { TrainingRecipe } from './TrainingRecipe.ts'
import { noiseSize, trainingScope } from './trainingScope.ts'
import { stateParts } from './updatePlan.ts'
import { type CarriedPart, carried, writeUpdate } from './writeUpdate.ts'

/** What draws the steps of one participant towards the others', besides the loss of its own rows. */
export type LocalPull = {
  /** μ of FedProx (arXiv:1812.06127): μ·(w − anchor) is added to the gradient, before clipping. Adds the input `anchor`, laid out as the parameters. */
  readonly proximal?: number
  /** As SCAFFOLD (arXiv:1910.06378): adds the input `correction`, laid out as the parameters, to the gradient, before clipping. */
  readonly isCorrected?: boolean
}

/**
 * One training step of any model: A forward and backward passes over B samples each, gradients added up in order,
 * clipped, applied.
 *
 * Inputs: `parameters` and the optimiser's tensors (`stateParts`), carried from step to step; `frozen` and the model's
 * tables; `inputs` and `targets` of A·B samples; `shares` f32 [rows], the share of each row of a pass in the loss;
 * `rates` (`stepNumbers`); with dropout `noise`, uniforms for all sites of pass 0, then of pass 1, ….
 * Outputs: `loss` f32 [1]; with clipping `norm` f32 [1].
 */
export function stepProgram(model: Model, recipe: TrainingRecipe, pull: LocalPull = {}): Program {
  const { batch: B, accumulate: A = 1, clip } = recipe
  const builder = new ProgramBuilder()
  const inputs = modelInputs(builder, model)
  const [first, ...others] = stateParts(model, recipe)
  const parts = new Map<string, CarriedPart>([['parameters', carried(builder, first!, inputs.parameters)]])
  for (const part of others) {
    const now = viewsOf(builder, part.layout, builder.input(part.name, [sizeOfLayout(part.layout)]))
    parts.set(part.name, carried(builder, part, now))
  }
  const passes = passInputs(builder, model, A, B)
  const shares = builder.input('shares', [rowsOf(model, B)])
  const results = passes.map((pass, i) => {
    const write = (): PassResult => writePass(builder, model, recipe, inputs, pass, shares)
    return A === 1 ? write() : builder.within(`pass${i}`, write)
  })
  builder.output(
    'loss',
    added(
      builder,
      'loss',
      results.map(({ loss }) => loss),
    ),
  )
  let gradients: readonly Tensor[] = model.parameters.map(({ name }, i) =>
    added(
      builder,
      `gradient.${name}`,
      results.map((result) => result.gradients[i]!),
    ),
  )
  gradients = pulled(builder, model, inputs.parameters, gradients, pull)
  if (clip !== undefined) {
    const norm = globalNorm(builder, 'norm', gradients)
    builder.output('norm', norm)
    gradients = clipByNorm(builder, 'clip', gradients, norm, clip)
  }
  writeUpdate(builder, model, recipe, parts, gradients)
  return builder.finish()
}

/** g + μ·(w − anchor) + correction, of which only what the pull asks for. */
function pulled(
  builder: ProgramBuilder,
  model: Model,
  weights: FlatPart,
  gradients: readonly Tensor[],
  { proximal = 0, isCorrected = false }: LocalPull,
): readonly Tensor[] {
  const flat = (name: string): FlatPart =>
    viewsOf(builder, model.parameters, builder.input(name, [sizeOfLayout(model.parameters)]))
  const [anchor, correction] = [proximal > 0 ? flat('anchor') : null, isCorrected ? flat('correction') : null]
  const towards = scalar<Three>('proximal', 3, (s, [g, w, a]) =>
    s.add(g, s.multiply(s.constant(proximal), s.subtract(w, a))),
  )
  return model.parameters.map(({ name }, i) => {
    let gradient = gradients[i]!
    const size = sizeOf(gradient)
    if (anchor) {
      const operands = [full(gradient), full(weights.views.get(name)!), full(anchor.views.get(name)!)]
      gradient = builder.map(`proximal.${name}`, towards, 1, size, operands, gradient.shape)
    }
    if (!correction) return gradient
    const operands = [full(gradient), full(correction.views.get(name)!)]
    return builder.map(`corrected.${name}`, addition, 1, size, operands, gradient.shape)
  })
}

type Pass = {
  readonly inputs: Tensor
  readonly targets: Tensor
  readonly noise: Tensor | null
  readonly noiseAt: number
}
type PassResult = { readonly loss: Tensor; readonly gradients: readonly Tensor[] }

/** The inputs of all passes in one tensor each, with a view for each pass. */
function passInputs(builder: ProgramBuilder, model: Model, A: number, B: number): Pass[] {
  const rows = rowsOf(model, B)
  const { sample, target } = model
  const noises = noiseSize(model, B)
  const declare = (name: string, shape: readonly number[], type: 'f32' | 'i32'): ((pass: number) => Tensor) => {
    const size = shape.reduce((total, extent) => total * extent, 1)
    const all = builder.input(name, A === 1 ? shape : [A, ...shape], type)
    return (pass) => (A === 1 ? all : builder.view(`${name}${pass}`, all, pass * size, shape))
  }
  const inputs =
    sample.kind === 'tokens' ? declare('inputs', [rows], 'i32') : declare('inputs', [B, sample.inputs], 'f32')
  const targets =
    target.kind === 'classes' ? declare('targets', [rows], 'i32') : declare('targets', [rows, target.count], 'f32')
  const noise = noises > 0 ? builder.input('noise', [A * noises]) : null
  return Array.from({ length: A }, (_, pass) => ({
    inputs: inputs(pass),
    targets: targets(pass),
    noise,
    noiseAt: pass * noises,
  }))
}

function writePass(
  builder: ProgramBuilder,
  model: Model,
  recipe: TrainingRecipe,
  inputs: ModelInputs,
  pass: Pass,
  shares: Tensor,
): PassResult {
  const tape = new Tape(builder)
  const checkpointing = recipe.checkpointing ?? false
  const scope = trainingScope(tape, model, inputs, { ...pass, B: recipe.batch, checkpointing })
  const losses = lossOf(tape, model, model.forward(scope, pass.inputs), pass.targets)
  const R = sizeOf(shares)
  const loss = builder.reduce('rowSum', 'loss', product, 1, R, [full(losses), full(shares)])
  const wanted = model.parameters.map(({ name }) => inputs.find(name))
  return { loss, gradients: tape.gradients(losses, shares, wanted) }
}

function added(builder: ProgramBuilder, label: string, terms: readonly Tensor[]): Tensor {
  return terms.reduce((sum, term) => builder.map(label, addition, 1, sizeOf(sum), [full(sum), full(term)], sum.shape))
}
