import { ropeTables } from '../operators/rope.ts'
import { layoutOf } from './layoutOf.ts'
import type { Constant, Model } from './Model.ts'
import type { SequenceConfig } from './ModelConfig.ts'
import { fullAttention, type TransformerForm, transformerBody, transformerHead } from './transformer.ts'
import { adapterLayout, transformerLayout } from './transformerLayout.ts'

/** The transformer that a config describes. */
export function formOf(config: SequenceConfig): TransformerForm {
  const { vocabulary, context, width, layers, heads } = config
  const common = { vocabulary, context, width, layers, heads }
  if (config.kind === 'gpt') {
    const { hidden = 4 * width, bias = false, tie = true, dropout = 0 } = config
    return { ...common, hidden, norm: 'layer', positions: 'learned', mlp: 'gelu', bias, tie, dropout, lora: null }
  }
  const { hidden, tie = false, lora } = config
  const adapters = lora ? { scale: Math.fround(lora.alpha / lora.rank), matrices: lora.matrices } : null
  return {
    ...common,
    hidden,
    norm: 'rms',
    positions: 'rotary',
    mlp: 'swiglu',
    bias: false,
    tie,
    dropout: 0,
    lora: adapters,
  }
}

/** A llama or GPT model. */
export function sequenceModel(config: SequenceConfig): Model {
  const form = formOf(config)
  const { context: T, width: C, heads: H, vocabulary } = form
  const whole = transformerLayout(form)
  const lora = config.kind === 'llama' ? config.lora : undefined
  const trained = lora ? adapterLayout(whole, lora.rank, lora.matrices) : whole
  return {
    config,
    parameters: layoutOf(trained),
    frozen: lora ? layoutOf(whole) : [],
    constants: config.kind === 'llama' ? ropeConstants(T, C, C / H, config.ropeBase ?? 10_000) : [],
    sample: { kind: 'tokens', context: T, vocabulary },
    target: { kind: 'classes', classes: vocabulary },
    forward: (scope, tokens) =>
      transformerHead(form, scope, transformerBody(form, scope, tokens, fullAttention(scope.B, T, C, H))),
  }
}

function ropeConstants(T: number, C: number, D: number, base: number): readonly Constant[] {
  let known: ReturnType<typeof ropeTables> | undefined
  const tables = (): ReturnType<typeof ropeTables> => {
    known ??= ropeTables(T, C, D, base)
    return known
  }
  return [
    { name: 'ropeCosine', shape: [T, C], values: () => tables().cos },
    { name: 'ropeSine', shape: [T, C], values: () => tables().sin },
  ]
}
