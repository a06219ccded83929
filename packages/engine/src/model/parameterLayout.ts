import { charactersOf, checkConfig, type LanguageConfig } from './LanguageConfig.ts'

export type Parameter = {
  /** `layer0.attention.query`; unique. */
  readonly name: string
  /** Matrices are [in, out]. */
  readonly shape: readonly number[]
  /** First element in the flat array. */
  readonly offset: number
  readonly size: number
  /** Standard deviation at the start; 0 starts at zero, `'one'` at one. */
  readonly start: number | 'one'
  /** Whether weight decay applies: matrices of the layers and of the head, not gains nor tables. */
  readonly decays: boolean
}

/**
 * The parameters of a model in the order they lie in one flat f32 array.
 *
 * Starts: tables 0.3; matrices 1/sqrt(in); the matrices that write into the residual stream and the head 0, so that
 * the untrained model gives every character the same probability (loss = ln V).
 */
export function parameterLayout(config: LanguageConfig): readonly Parameter[] {
  checkConfig(config)
  const { context: T, width: C, layers, hidden } = config
  const V = charactersOf(config).length
  const layout: Parameter[] = []
  const put = (name: string, shape: readonly number[], start: Parameter['start'], decays: boolean): void => {
    const last = layout.at(-1)
    const size = shape.reduce((product, extent) => product * extent, 1)
    layout.push({ name, shape, offset: last ? last.offset + last.size : 0, size, start, decays })
  }
  const spread = (inputs: number): number => Math.fround(1 / Math.sqrt(inputs))
  put('tokens', [V, C], 0.3, false)
  put('positions', [T, C], 0.3, false)
  for (let layer = 0; layer < layers; layer++) {
    put(`layer${layer}.attention.gain`, [C], 'one', false)
    for (const part of ['query', 'key', 'value']) put(`layer${layer}.attention.${part}`, [C, C], spread(C), true)
    put(`layer${layer}.attention.out`, [C, C], 0, true)
    put(`layer${layer}.mlp.gain`, [C], 'one', false)
    put(`layer${layer}.mlp.up`, [C, hidden], spread(C), true)
    put(`layer${layer}.mlp.down`, [hidden, C], 0, true)
  }
  put('final.gain', [C], 'one', false)
  put('head', [C, V], 0, true)
  return layout
}

/** How many numbers a model has. */
export function parameterCount(config: LanguageConfig): number {
  return parameterLayout(config).reduce((sum, parameter) => sum + parameter.size, 0)
}
