/** Our name of a llama layer's parameter → its name in GGUF after `blk.N.`. */
const ofLayer: Readonly<Record<string, string>> = {
  'attention.gain': 'attn_norm',
  'attention.query': 'attn_q',
  'attention.key': 'attn_k',
  'attention.value': 'attn_v',
  'attention.out': 'attn_output',
  'mlp.gain': 'ffn_norm',
  'mlp.gate': 'ffn_gate',
  'mlp.up': 'ffn_up',
  'mlp.down': 'ffn_down',
}

export type LlamaName = {
  readonly ours: string
  readonly gguf: string
  /** Ours is [in, out], theirs [out, in]. */
  readonly isTransposed: boolean
}

/** Every parameter of a llama model under both names, in file order. */
export function llamaNames(layers: number, tie: boolean): LlamaName[] {
  const names: LlamaName[] = [{ ours: 'tokens', gguf: 'token_embd.weight', isTransposed: false }]
  for (let layer = 0; layer < layers; layer++) {
    for (const [ours, gguf] of Object.entries(ofLayer)) {
      const isTransposed = !ours.endsWith('gain')
      names.push({ ours: `layer${layer}.${ours}`, gguf: `blk.${layer}.${gguf}.weight`, isTransposed })
    }
  }
  names.push({ ours: 'final.gain', gguf: 'output_norm.weight', isTransposed: false })
  if (!tie) names.push({ ours: 'head', gguf: 'output.weight', isTransposed: true })
  return names
}
