import type { Tape } from '../operators/Tape.ts'
import type { Tensor } from '../program/Program.ts'
import { charactersOf, type LanguageConfig } from './LanguageConfig.ts'
import { fullAttention, type TransformerForm, transformerBody, transformerHead } from './transformer.ts'

/** The character model as a transformer: RMS norm, learned positions, a squared-ReLU feed-forward part. */
export function languageForm(config: LanguageConfig): TransformerForm {
  const { context, width, layers, heads, hidden } = config
  return {
    vocabulary: charactersOf(config).length,
    context,
    width,
    layers,
    heads,
    hidden,
    norm: 'rms',
    positions: 'learned',
    mlp: 'reluSquared',
    bias: false,
    tie: false,
    dropout: 0,
    lora: null,
  }
}

/**
 * Logits of every position of the character model.
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
  const form = languageForm(config)
  const scope = {
    tape,
    B,
    weight: (name: string): Tensor => weights.get(name)!,
    constant: (name: string): Tensor => weights.get(name)!,
    drop: (_tape: Tape, _site: string, x: Tensor): Tensor => x,
    layer: (name: string, x: Tensor, body: (tape: Tape, x: Tensor) => Tensor): Tensor =>
      tape.builder.within(name, () => body(tape, x)),
  }
  const attend = fullAttention(B, form.context, form.width, form.heads)
  return transformerHead(form, scope, transformerBody(form, scope, tokens, attend))
}
