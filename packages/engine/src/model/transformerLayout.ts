import type { ParameterEntry } from './layoutOf.ts'
import type { TransformerForm } from './transformer.ts'

/** Spread of GPT-2 and nanoGPT. */
const spread = Math.fround(0.02)

/**
 * The parameters of a llama or GPT model in order: tables, layers, final norm, head.
 *
 * Starts: 0.02; matrices that write into the residual stream 0.02/sqrt(2·layers), so that its size does not grow with
 * depth; gains 1; shifts and biases 0. Decay: matrices and tables with two axes (as in nanoGPT), not gains nor biases.
 */
export function transformerLayout(form: TransformerForm): readonly ParameterEntry[] {
  const { vocabulary: V, context: T, width: C, layers, hidden, bias } = form
  const entries: ParameterEntry[] = []
  const put = (name: string, shape: readonly number[], start: ParameterEntry['start']): void => {
    entries.push({ name, shape, start, decays: shape.length === 2 })
  }
  const norm = (name: string): void => {
    put(`${name}.gain`, [C], 'one')
    if (form.norm === 'layer') put(`${name}.shift`, [C], 0)
  }
  const matrix = (name: string, inputs: number, outputs: number, start: number): void => {
    put(name, [inputs, outputs], start)
    if (bias) put(`${name}.bias`, [outputs], 0)
  }
  const writing = Math.fround(spread / Math.sqrt(2 * layers))
  put('tokens', [V, C], spread)
  if (form.positions === 'learned') put('positions', [T, C], spread)
  for (let layer = 0; layer < layers; layer++) {
    const at = `layer${layer}`
    norm(`${at}.attention`)
    for (const part of ['query', 'key', 'value']) matrix(`${at}.attention.${part}`, C, C, spread)
    matrix(`${at}.attention.out`, C, C, writing)
    norm(`${at}.mlp`)
    if (form.mlp === 'swiglu') matrix(`${at}.mlp.gate`, C, hidden, spread)
    matrix(`${at}.mlp.up`, C, hidden, spread)
    matrix(`${at}.mlp.down`, hidden, C, writing)
  }
  norm('final')
  if (!form.tie) put('head', [C, V], spread)
  return entries
}

/** The adapters of a model with a fixed base: `a` [in, rank] starts spread out, `b` [rank, out] at zero. */
export function adapterLayout(
  base: readonly ParameterEntry[],
  rank: number,
  matrices: readonly string[],
): ParameterEntry[] {
  return base
    .filter(({ name }) => matrices.some((matrix) => name.endsWith(`.${matrix}`)))
    .flatMap(({ name, shape: [inputs = 1, outputs = 1] }) => [
      { name: `${name}.a`, shape: [inputs, rank], start: Math.fround(1 / Math.sqrt(inputs)), decays: true },
      { name: `${name}.b`, shape: [rank, outputs], start: 0, decays: true },
    ])
}
