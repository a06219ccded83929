import { matmul } from '../operators/matmul.ts'
import { Tape } from '../operators/Tape.ts'
import type { Program, Tensor } from '../program/Program.ts'
import { column, columnIndex, full, ProgramBuilder, row, rowIndex } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { cachedSoftmax } from './cachedSoftmax.ts'
import type { Model } from './Model.ts'
import { modelInputs, plainScope } from './modelScope.ts'
import {
  type Attend,
  attentionScale,
  fullAttention,
  type TransformerForm,
  transformerBody,
  transformerHead,
} from './transformer.ts'

/** A model that continues sequences: its parameters and its transformer. */
export type SequenceModel = Pick<Model, 'parameters' | 'frozen' | 'constants'> & { readonly form: TransformerForm }

/**
 * The pass over the prompts, all at once. Masked columns weigh +0, so the bits do not depend on L (E-37).
 *
 * Inputs: as `modelInputs`; `tokens` i32 [B·L], filled up with any token; `positions` i32 [L] = 0, 1, …; `last` i32 [B],
 * the row whose logits are wanted. Outputs: `logits` f32 [B, V]; for every layer `keys0`, `values0`, … f32 [B·L, C].
 */
export function prefillProgram(model: SequenceModel, B: number, L: number): Program {
  const { form } = model
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const scope = plainScope(tape, modelInputs(builder, model), B)
  const tokens = builder.input('tokens', [B * L], 'i32')
  const positions = builder.input('positions', [L], 'i32')
  const last = builder.input('last', [B], 'i32')
  const attention = fullAttention(B, L, form.width, form.heads)
  const attend: Attend = (on, q, k, v, layer) => {
    builder.output(`keys${layer}`, k)
    builder.output(`values${layer}`, v)
    return attention(on, q, k, v, layer)
  }
  const x = transformerBody(form, scope, tokens, attend, (name, table) =>
    builder.gatherRows(`${name}.rows`, table, positions),
  )
  builder.output('logits', transformerHead(form, scope, builder.gatherRows('last.rows', x, last)))
  return builder.finish()
}

/**
 * One more token of B sequences, each at a position of its own: the bits of the full pass (E-37).
 *
 * Inputs: as `modelInputs`; `tokens` i32 [B]; `positions` i32 [B], 0 to L − 1; `places` i32 [B·C], each position C times;
 * for every layer, carried: `keys0` f32 [B·C, L], `values0` f32 [L, B·C], …. Output: `logits` f32 [B, V].
 * Cost: the weights once, the caches three times; some 25 operations a layer.
 */
export function decodeProgram(model: SequenceModel, B: number, L: number): Program {
  const { form } = model
  const { width: C, heads: H } = form
  const D = C / H
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const scope = plainScope(tape, modelInputs(builder, model), B)
  const tokens = builder.input('tokens', [B], 'i32')
  const positions = builder.input('positions', [B], 'i32')
  const places = builder.input('places', [B * C], 'i32')
  const groups = { groups: B, subgroups: H, M: 1 }
  const one = { group: C, subgroup: D, row: D, column: 1 }
  const weights = { group: L, subgroup: B * L, row: L, column: 1 }
  const scoring = { ...groups, N: L, K: D, a: one, b: { group: C * L, subgroup: D * L, row: L, column: 1 }, c: weights }
  const mixing = { ...groups, N: D, K: L, a: weights, b: { group: C, subgroup: D, row: B * C, column: 1 }, c: one }
  const attend: Attend = (on, q, k, v, layer) => {
    const keys = cache(builder, `keys${layer}`, [B * C, L], (old) => [full(old), row(k), row(places), columnIndex])
    const values = cache(builder, `values${layer}`, [L, B * C], (old) => [
      full(old),
      column(v),
      column(places),
      rowIndex(L),
    ])
    const scores = matmul(on, 'attention.scores', scoring, q, keys, [H, B, L])
    const p = cachedSoftmax(builder, 'attention.weights', scores, positions, attentionScale(D))
    return matmul(on, 'attention.mixed', mixing, p, values, [B, C])
  }
  const x = transformerBody(form, scope, tokens, attend, (name, table) =>
    builder.gatherRows(`${name}.rows`, table, positions),
  )
  builder.output('logits', transformerHead(form, scope, x))
  return builder.finish()
}

/** A carried table with the place of the new token replaced. */
function cache(
  builder: ProgramBuilder,
  name: string,
  shape: readonly [number, number],
  operands: (old: Tensor) => Parameters<ProgramBuilder['map']>[4],
): Tensor {
  const old = builder.input(name, shape)
  const next = builder.map(name, replace, shape[0], shape[1], operands(old), shape)
  builder.carry(next, old)
  return next
}

const replace = ((): ScalarProgram => {
  const s = new ScalarBuilder('replace')
  const [old, fresh] = [s.input(), s.input()]
  return s.finish(s.select(s.integerEqual(s.integerInput(), s.integerInput()), fresh, old))
})()
