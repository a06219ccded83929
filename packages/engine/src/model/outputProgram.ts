import { Tape } from '../operators/Tape.ts'
import type { Program } from '../program/Program.ts'
import { ProgramBuilder } from '../program/ProgramBuilder.ts'
import type { Model } from './Model.ts'
import { modelInputs, plainScope, sampleInput } from './modelScope.ts'

/**
 * The full pass, without gradients. Inputs: `parameters`, `frozen`, the tables (see `modelInputs`) and `inputs` of B
 * samples. Output: `outputs` f32 [B·T, V], [B, classes] or [B, count].
 */
export function outputProgram(model: Model, B: number): Program {
  const builder = new ProgramBuilder()
  const scope = plainScope(new Tape(builder), modelInputs(builder, model), B)
  builder.output('outputs', model.forward(scope, sampleInput(builder, model, 'inputs', B)))
  return builder.finish()
}
