import type { ForwardScope, Model } from '../model/Model.ts'
import { type ModelInputs, modelInputs, plainScope, sampleInput } from '../model/modelScope.ts'
import { dropout } from '../operators/dropout.ts'
import { Tape } from '../operators/Tape.ts'
import { sizeOf, type Tensor } from '../program/Program.ts'
import { ProgramBuilder } from '../program/ProgramBuilder.ts'

export type TrainingPass = {
  readonly B: number
  readonly checkpointing: boolean
  /** Uniforms of all passes; this one reads from `noiseAt` on. */
  readonly noise: Tensor | null
  readonly noiseAt: number
}

/** A scope with dropout and, if asked for, checkpointing of layers. */
export function trainingScope(tape: Tape, model: Model, inputs: ModelInputs, pass: TrainingPass): ForwardScope {
  const { B, checkpointing, noise, noiseAt } = pass
  const plain = plainScope(tape, inputs, B)
  const views = new Map<string, Tensor>()
  let used = noiseAt
  // A checkpointed layer is written twice: the second time a site finds the view it had.
  const noiseFor = (site: string, x: Tensor): Tensor => {
    const known = views.get(site)
    if (known) return known
    const view = tape.builder.view(site, noise!, used, x.shape)
    used += sizeOf(x)
    views.set(site, view)
    return view
  }
  const drop: ForwardScope['drop'] = (on, site, x, rate) =>
    rate === 0 ? x : dropout(on, site, x, noiseFor(site, x), rate)
  if (!checkpointing) return { ...plain, drop }
  const layer: ForwardScope['layer'] = (name, x, body) => {
    const own = model.parameters
      .filter((item) => item.name.startsWith(`${name}.`))
      .map((item) => inputs.find(item.name))
    return tape.checkpoint(name, [x, ...own], (again) => body(again, x))
  }
  return { ...plain, drop, layer }
}

/** Uniforms that the dropout sites of one pass over B samples take together. */
export function noiseSize(model: Model, B: number): number {
  const builder = new ProgramBuilder()
  const scope = plainScope(new Tape(builder), modelInputs(builder, model), B)
  let total = 0
  const drop: ForwardScope['drop'] = (_tape, _site, x, rate) => {
    if (rate > 0) total += sizeOf(x)
    return x
  }
  model.forward({ ...scope, drop }, sampleInput(builder, model, 'inputs', B))
  return total
}
