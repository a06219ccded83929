import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelOf } from '../../model/modelOf.ts'
import { float32Tensor } from '../FileTensor.ts'
import { transposed, weightsByName } from '../Weights.ts'
import { llamaFromSafetensors } from './llamaFromSafetensors.ts'
import { writeSafetensors } from './writeSafetensors.ts'

const config = { kind: 'llama', vocabulary: 5, context: 8, width: 8, layers: 1, heads: 2, hidden: 3 } as const
const published = {
  model_type: 'llama',
  vocab_size: 5,
  max_position_embeddings: 8,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 3,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  rope_scaling: null,
}

const { parameters } = modelOf(config)
const size = parameters.reduce((sum, parameter) => sum + parameter.size, 0)
const ours = weightsByName(
  parameters,
  Float32Array.from({ length: size }, (_, i) => i),
)

/** Rows of a published query or key matrix: in each head of 4, rows 0, 2, 1, 3 of ours. */
const order = [0, 2, 1, 3, 4, 6, 5, 7]

function fileOf(
  change: (name: string, shape: readonly number[]) => readonly number[] = (_, shape) => shape,
): Uint8Array {
  const names: Record<string, string> = {
    tokens: 'model.embed_tokens',
    'layer0.attention.gain': 'model.layers.0.input_layernorm',
    'layer0.attention.query': 'model.layers.0.self_attn.q_proj',
    'layer0.attention.key': 'model.layers.0.self_attn.k_proj',
    'layer0.attention.value': 'model.layers.0.self_attn.v_proj',
    'layer0.attention.out': 'model.layers.0.self_attn.o_proj',
    'layer0.mlp.gain': 'model.layers.0.post_attention_layernorm',
    'layer0.mlp.gate': 'model.layers.0.mlp.gate_proj',
    'layer0.mlp.up': 'model.layers.0.mlp.up_proj',
    'layer0.mlp.down': 'model.layers.0.mlp.down_proj',
    'final.gain': 'model.norm',
    head: 'lm_head',
  }
  const tensors = [...ours].map(([name, weight]) => {
    let { shape, values } = name === 'tokens' || name.endsWith('gain') ? weight : transposed(weight)
    if (/query|key/.test(name)) {
      const rows = values
      values = Float32Array.from(order.flatMap((row) => [...rows.subarray(8 * row, 8 * row + 8)]))
    }
    shape = change(name, shape)
    return float32Tensor(
      `${names[name]}.weight`,
      shape,
      values.subarray(
        0,
        shape.reduce((product, extent) => product * extent, 1),
      ),
    )
  })
  return writeSafetensors(tensors)
}

test('a published llama model is read with our names, orientation and rotary pairs', () => {
  const read = llamaFromSafetensors(JSON.stringify(published), [fileOf()])
  assert.deepEqual(read.config, { ...config, ropeBase: 10_000, tie: false })
  assert.deepEqual(new Map(read.weights), new Map(ours))
})

test('key and value heads that queries share are repeated for each of them', () => {
  const shared = fileOf((name, shape) => (/key|value/.test(name) ? [4, 8] : shape))
  const { weights } = llamaFromSafetensors(JSON.stringify({ ...published, num_key_value_heads: 1 }), [shared])
  const value = weights.get('layer0.attention.value')!
  const whole = ours.get('layer0.attention.value')!
  assert.deepEqual(value.shape, [8, 8])
  assert.deepEqual(
    [...value.values.subarray(8, 16)],
    [8, 9, 10, 11, 8, 9, 10, 11].map((i) => whole.values[i]),
  )
})

test('what this engine would compute differently is refused by the entry of the config', () => {
  const file = fileOf()
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ model_type: 'mistral' }, 'UNSUPPORTED_MODEL', /model_type must be "llama", got "mistral"/],
    [{ hidden_act: 'gelu' }, 'UNSUPPORTED_MODEL', /hidden_act/],
    [{ attention_bias: true }, 'UNSUPPORTED_MODEL', /attention_bias/],
    [{ rope_scaling: { type: 'linear' } }, 'UNSUPPORTED_MODEL', /rope_scaling/],
    [{ rms_norm_eps: 1e-6 }, 'UNSUPPORTED_MODEL', /rms_norm_eps must be 1e-5/],
    [{ head_dim: 8 }, 'UNSUPPORTED_MODEL', /head_dim must be 4/],
    [{ num_key_value_heads: 3 }, 'UNSUPPORTED_MODEL', /a divisor of the 2 heads/],
    [{ vocab_size: '5' }, 'UNSUPPORTED_MODEL', /vocab_size must be a number/],
    [{ hidden_size: 7 }, 'BAD_CONFIG', /width/],
    [{ vocab_size: 6 }, 'FORMAT_SHAPE', /embed_tokens/],
    [{ num_hidden_layers: 2 }, 'FORMAT_MISSING', /layers\.1\.input_layernorm/],
  ]
  for (const [change, code, message] of cases) {
    const json = JSON.stringify({ ...published, ...change })
    assert.throws(() => llamaFromSafetensors(json, [file]), { code, message }, JSON.stringify(change))
  }
  assert.throws(() => llamaFromSafetensors('{', [file]), { code: 'FORMAT_HEADER' })
  assert.throws(() => llamaFromSafetensors(JSON.stringify(published), [file, file]), { code: 'FORMAT_DUPLICATE' })
})
