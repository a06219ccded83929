import { PotluckError } from '@potluck/protocol'
import type { LlamaConfig } from '../../model/ModelConfig.ts'
import { float32Tensor } from '../FileTensor.ts'
import { checkPlain, transposed, type Weights, weightOf } from '../Weights.ts'
import { type GgufTokenizer, tokenCount, tokenizerMetadata } from './GgufTokenizer.ts'
import type { GgufValue } from './GgufValue.ts'
import { llamaNames } from './llamaNames.ts'
import { writeGguf } from './writeGguf.ts'

/** The epsilon of `rmsNorm`. */
const NORM_EPSILON = 1e-5

/**
 * A llama model in f32 as a GGUF file that llama.cpp loads.
 *
 * Rotary pairs are adjacent channels on both sides, so the rows keep their order; matrices are turned to [out, in]. A tied head is left out, as readers
 * expect.
 *
 * @param weights without adapters: `plainWeights`
 * @throws PotluckError BAD_TOKENIZER when the tokenizer has another number of tokens than the model; FORMAT_MISSING, SHAPE
 */
export function llamaToGguf(
  config: LlamaConfig,
  weights: Weights,
  tokenizer: GgufTokenizer,
  name = 'potluck',
): Uint8Array {
  const { vocabulary, context, width, layers, heads, hidden, ropeBase = 10000, tie = false } = config
  const tokens = tokenCount(tokenizer)
  if (tokens !== vocabulary) {
    throw new PotluckError('BAD_TOKENIZER', `the model has ${vocabulary} tokens, its tokenizer ${tokens}`)
  }
  checkPlain(weights)
  const tensors = llamaNames(layers, tie).map(({ ours, gguf, isTransposed }) => {
    const weight = weightOf(weights, ours)
    const { shape, values } = isTransposed ? transposed(weight) : weight
    return float32Tensor(gguf, shape, values)
  })
  const u32 = (value: number): GgufValue => ({ type: 'u32', value })
  const f32 = (value: number): GgufValue => ({ type: 'f32', value })
  return writeGguf(
    [
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['general.name', { type: 'string', value: name }],
      ['general.file_type', u32(0)],
      ['general.alignment', u32(32)],
      ['llama.context_length', u32(context)],
      ['llama.embedding_length', u32(width)],
      ['llama.block_count', u32(layers)],
      ['llama.feed_forward_length', u32(hidden)],
      ['llama.attention.head_count', u32(heads)],
      ['llama.attention.head_count_kv', u32(heads)],
      ['llama.attention.layer_norm_rms_epsilon', f32(NORM_EPSILON)],
      ['llama.rope.dimension_count', u32(width / heads)],
      ['llama.rope.freq_base', f32(ropeBase)],
      ['llama.vocab_size', u32(vocabulary)],
      ...tokenizerMetadata(tokenizer),
    ],
    tensors,
  )
}
