import { type Activation, activate, gelu, reluSquared } from '../operators/activations.ts'
import { causalSoftmax } from '../operators/causalSoftmax.ts'
import { add } from '../operators/elementwise.ts'
import { embedding } from '../operators/embedding.ts'
import { layerNorm } from '../operators/layerNorm.ts'
import { lora } from '../operators/lora.ts'
import { linear, matmul, plainProduct } from '../operators/matmul.ts'
import { rmsNorm } from '../operators/rmsNorm.ts'
import { rope } from '../operators/rope.ts'
import { swiglu } from '../operators/swiglu.ts'
import type { Tape } from '../operators/Tape.ts'
import type { Tensor } from '../program/Program.ts'
import type { ForwardScope } from './Model.ts'

/** What the sequence models have in common, and where they differ. */
export type TransformerForm = {
  readonly vocabulary: number
  readonly context: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  readonly norm: 'rms' | 'layer'
  readonly positions: 'learned' | 'rotary'
  readonly mlp: 'reluSquared' | 'gelu' | 'swiglu'
  readonly bias: boolean
  /** The head is the token table. */
  readonly tie: boolean
  readonly dropout: number
  readonly lora: { readonly scale: number; readonly matrices: readonly string[] } | null
}

/** Queries, keys and values [B·T, C] → what each position takes from those it sees, [B·T, C]. */
export type Attend = (tape: Tape, q: Tensor, k: Tensor, v: Tensor, layer: number) => Tensor

/** Rows of a table of positions [T, C] for the rows of the batch: the whole table where every window is full. */
export type AtPositions = (name: string, table: Tensor) => Tensor

/**
 * The residual stream after the last layer: pre-norm, attention and feed-forward part in turn.
 *
 * @param tokens i32 [R]
 * @returns [R, C], before the final norm
 */
export function transformerBody(
  form: TransformerForm,
  scope: ForwardScope,
  tokens: Tensor,
  attend: Attend,
  at: AtPositions = (_, table) => table,
): Tensor {
  let x = embedding(scope.tape, 'tokens', scope.weight('tokens'), tokens)
  if (form.positions === 'learned') {
    x = add(scope.tape, 'embedded', x, at('positions', scope.weight('positions')))
    x = scope.drop(scope.tape, 'embedded.drop', x, form.dropout)
  }
  const turns: readonly Tensor[] =
    form.positions === 'rotary' ? ['ropeCosine', 'ropeSine'].map((name) => at(name, scope.constant(name))) : []
  for (let layer = 0; layer < form.layers; layer++) {
    x = scope.layer(`layer${layer}`, x, (tape, input) => {
      const parts: Parts = { form, scope: { ...scope, tape }, layer, turns }
      return feedForwardPart(parts, attentionPart(parts, input, attend))
    })
  }
  return x
}

/** Final norm and logits: [R, C] → [R, V]. */
export function transformerHead(form: TransformerForm, scope: ForwardScope, x: Tensor): Tensor {
  const h = norm(form, scope, 'final', x)
  if (!form.tie) return linear(scope.tape, 'head', h, scope.weight('head'))
  // logits = h·tokensᵀ: the table is read with rows and columns exchanged.
  const { width: K, vocabulary: N } = form
  const R = h.shape[0] ?? 1
  const product = { ...plainProduct(R, K, N), b: { group: 0, subgroup: 0, row: 1, column: K } }
  return matmul(scope.tape, 'head', product, h, scope.weight('tokens'), [R, N])
}

/** softmax(q·kᵀ / sqrt(D))·v of whole windows; head h owns channels h·D to h·D + D − 1. */
export function fullAttention(B: number, T: number, C: number, H: number): Attend {
  const D = C / H
  const rows = { group: T * C, subgroup: D, row: C, column: 1 }
  const columns = { group: T * C, subgroup: D, row: 1, column: C }
  const square = { group: H * T * T, subgroup: T * T, row: T, column: 1 }
  const groups = { groups: B, subgroups: H }
  const scoring = { ...groups, M: T, N: T, K: D, a: rows, b: columns, c: square }
  const mixing = { ...groups, M: T, N: D, K: T, a: square, b: rows, c: rows }
  return (tape, q, k, v) => {
    const scores = matmul(tape, 'attention.scores', scoring, q, k, [B, H, T, T])
    const p = causalSoftmax(tape, 'attention.weights', scores, attentionScale(D))
    return matmul(tape, 'attention.mixed', mixing, p, v, [B * T, C])
  }
}

/** 1 / sqrt(D), in f32. */
export const attentionScale = (D: number): number => Math.fround(1 / Math.sqrt(D))

type Parts = {
  readonly form: TransformerForm
  readonly scope: ForwardScope
  readonly layer: number
  readonly turns: readonly Tensor[]
}

function attentionPart(parts: Parts, x: Tensor, attend: Attend): Tensor {
  const { form, scope, layer, turns } = parts
  const h = norm(form, scope, `layer${layer}.attention`, x)
  const [q, k, v] = ['query', 'key', 'value'].map((part) => affine(parts, 'attention', part, h)) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const [cosine, sine] = turns
  const turn = (label: string, of: Tensor): Tensor =>
    cosine && sine ? rope(scope.tape, `attention.${label}`, of, cosine, sine) : of
  const mixed = attend(scope.tape, turn('query.turned', q), turn('key.turned', k), v, layer)
  const out = affine(parts, 'attention', 'out', mixed)
  const kept = scope.drop(scope.tape, `layer${layer}.attention.drop`, out, form.dropout)
  return add(scope.tape, 'attention.residual', x, kept)
}

const activationOf: Readonly<Record<'reluSquared' | 'gelu', Activation>> = { reluSquared, gelu }

function feedForwardPart(parts: Parts, x: Tensor): Tensor {
  const { form, scope, layer } = parts
  const { tape } = scope
  const m = norm(form, scope, `layer${layer}.mlp`, x)
  let up: Tensor
  if (form.mlp === 'swiglu') {
    up = swiglu(tape, 'mlp.gated', affine(parts, 'mlp', 'gate', m), affine(parts, 'mlp', 'up', m))
  } else up = activate(tape, 'mlp.activation', activationOf[form.mlp], affine(parts, 'mlp', 'up', m))
  const down = affine(parts, 'mlp', 'down', up)
  return add(tape, 'mlp.residual', x, scope.drop(tape, `layer${layer}.mlp.drop`, down, form.dropout))
}

function norm(form: TransformerForm, scope: ForwardScope, part: string, x: Tensor): Tensor {
  const label = `${part.slice(part.indexOf('.') + 1)}.norm`
  const gain = scope.weight(`${part}.gain`)
  if (form.norm === 'rms') return rmsNorm(scope.tape, label, x, gain)
  return layerNorm(scope.tape, label, x, gain, scope.weight(`${part}.shift`))
}

/** x·w (+ bias) (+ scale·(x·a)·b where the matrix has adapters). */
function affine({ form, scope, layer }: Parts, part: string, matrix: string, x: Tensor): Tensor {
  const name = `layer${layer}.${part}.${matrix}`
  const label = `${part}.${matrix}`
  const w = scope.weight(name)
  if (form.lora?.matrices.includes(matrix)) {
    return lora(scope.tape, label, x, w, scope.weight(`${name}.a`), scope.weight(`${name}.b`), form.lora.scale)
  }
  return form.bias ? linear(scope.tape, label, x, w, scope.weight(`${name}.bias`)) : linear(scope.tape, label, x, w)
}
