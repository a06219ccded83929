import { causalSoftmax } from '../operators/causalSoftmax.ts'
import { activate, add, reluSquared } from '../operators/elementwise.ts'
import { embedding } from '../operators/embedding.ts'
import { linear, matmul } from '../operators/matmul.ts'
import { rmsNorm } from '../operators/rmsNorm.ts'
import type { Tape } from '../operators/Tape.ts'
import type { Tensor } from '../program/Program.ts'
import type { LanguageConfig } from './LanguageConfig.ts'

/**
 * Logits of every position: pre-norm transformer with learned positions, causal attention and a squared-ReLU MLP.
 *
 * @param weights by name, as in `parameterLayout`
 * @param tokens  i32 [B·T]
 * @returns [B·T, V]
 */
export function forward(
  tape: Tape,
  config: LanguageConfig,
  B: number,
  weights: ReadonlyMap<string, Tensor>,
  tokens: Tensor,
): Tensor {
  const weight = (name: string): Tensor => weights.get(name)!
  let x = add(tape, 'embedded', embedding(tape, 'tokens', weight('tokens'), tokens), weight('positions'))
  for (let layer = 0; layer < config.layers; layer++) {
    tape.builder.within(`layer${layer}`, () => {
      const of = (name: string): Tensor => weight(`layer${layer}.${name}`)
      const h = rmsNorm(tape, 'attention.norm', x, of('attention.gain'))
      const mixed = attention(tape, config, B, h, of)
      x = add(tape, 'attention.residual', x, linear(tape, 'attention.out', mixed, of('attention.out')))
      const m = rmsNorm(tape, 'mlp.norm', x, of('mlp.gain'))
      const up = activate(tape, 'mlp.activation', reluSquared, linear(tape, 'mlp.up', m, of('mlp.up')))
      x = add(tape, 'mlp.residual', x, linear(tape, 'mlp.down', up, of('mlp.down')))
    })
  }
  return linear(tape, 'head', rmsNorm(tape, 'final.norm', x, weight('final.gain')), weight('head'))
}

/** softmax(q·kᵀ / sqrt(D))·v for each head; head h owns channels h·D to h·D + D − 1. x [B·T, C] → [B·T, C]. */
function attention(tape: Tape, config: LanguageConfig, B: number, x: Tensor, of: (name: string) => Tensor): Tensor {
  const { context: T, width: C, heads: H } = config
  const D = C / H
  const [q, k, v] = ['query', 'key', 'value'].map((part) =>
    linear(tape, `attention.${part}`, x, of(`attention.${part}`)),
  )
  const rows = { group: T * C, subgroup: D, row: C, column: 1 }
  const columns = { group: T * C, subgroup: D, row: 1, column: C }
  const square = { group: H * T * T, subgroup: T * T, row: T, column: 1 }
  const groups = { groups: B, subgroups: H }
  const scoring = { ...groups, M: T, N: T, K: D, a: rows, b: columns, c: square }
  const scores = matmul(tape, 'attention.scores', scoring, q!, k!, [B, H, T, T])
  const p = causalSoftmax(tape, 'attention.weights', scores, Math.fround(1 / Math.sqrt(D)))
  const mixing = { ...groups, M: T, N: D, K: T, a: square, b: rows, c: rows }
  return matmul(tape, 'attention.mixed', mixing, p, v!, [B * T, C])
}
