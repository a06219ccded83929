import { type CnnConfig, type ModelConfig, modelOf, windowCount } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/**
 * One affine layer and what follows it. Convolutions and linear layers differ only in which inputs a position sees:
 * z[p,o] = bias[o] + Σ_k x[sees[p,k]]·w[k,o], then out[n] = max over j of relu(z[joins[n,j]]); the last layer's output is z.
 */
export type RectifierLayer = {
  /** Numbers that come in. */
  readonly inputs: number
  /** Positions; 1 in a linear layer. */
  readonly P: number
  /** Inputs that one position sees. */
  readonly K: number
  /** Units, or channels. */
  readonly O: number
  /** [P, K] places in the input; −1 outside the image, which counts as 0. */
  readonly sees: Int32Array
  /** Where w[K, O] and bias[O] begin in the flat parameters. */
  readonly weights: number
  readonly bias: number
  /** [N, J] places in z[P, O], by row and column of a pooling window; null in the last layer. */
  readonly joins: Int32Array | null
  readonly J: number
}

/**
 * A classifier made of affine layers, relu and max pooling, as lists of places: what an attacker differentiates twice.
 *
 * @throws PotluckError BAD_CONFIG; BAD_ATTACK for a model with anything else in it (another activation, numbers as targets, texts)
 */
export function rectifierLayers(config: ModelConfig): RectifierLayer[] {
  const { parameters } = modelOf(config)
  const isRelu = config.kind === 'mlp' && (config.activation === 'relu' || config.hidden.length === 0)
  const classifies = config.kind === 'cnn' || config.kind === 'logistic' || (isRelu && config.classes !== undefined)
  if (!classifies || ('dropout' in config && (config.dropout ?? 0) > 0)) {
    throw new PotluckError(
      'BAD_ATTACK',
      `gradients are matched for classifiers of linear layers, convolutions and relu without dropout, got ${JSON.stringify(config)}`,
    )
  }
  const layers: RectifierLayer[] = config.kind === 'cnn' ? convolutionsOf(config) : []
  for (let i = 2 * layers.length; i < parameters.length; i += 2) {
    const { shape, offset, size } = parameters[i]!
    const [K = 1, O = 1] = shape
    const sees = Int32Array.from({ length: K }, (_, k) => k)
    const joins = i + 2 < parameters.length ? Int32Array.from({ length: O }, (_, o) => o) : null
    layers.push({ inputs: K, P: 1, K, O, sees, weights: offset, bias: offset + size, joins, J: 1 })
  }
  return layers
}

/** Layouts as in the engine: images [H, W, C], patches [C, kernel, kernel]. */
function convolutionsOf({ height, width, channels, convolutions }: CnnConfig): RectifierLayer[] {
  let [h, w, c, weights] = [height, width, channels, 0]
  return convolutions.map((convolution) => {
    const { kernel, stride, padding, pool, channels: O } = convolution
    const [OH, OW] = [windowCount(h, kernel, convolution), windowCount(w, kernel, convolution)]
    const [P, K] = [OH * OW, c * kernel * kernel]
    const sees = Int32Array.from({ length: P * K }, (_, at) => {
      const [p, k] = [Math.floor(at / K), at % K]
      const channel = Math.floor(k / (kernel * kernel))
      const y = Math.floor(p / OW) * stride + (Math.floor(k / kernel) % kernel) - padding
      const x = (p % OW) * stride + (k % kernel) - padding
      return y < 0 || y >= h || x < 0 || x >= w ? -1 : (y * w + x) * c + channel
    })
    const [PH, PW, J] = [Math.floor(OH / pool), Math.floor(OW / pool), pool * pool]
    const joins = Int32Array.from({ length: PH * PW * O * J }, (_, at) => {
      const [n, j] = [Math.floor(at / J), at % J]
      const [cell, o] = [Math.floor(n / O), n % O]
      const y = Math.floor(cell / PW) * pool + Math.floor(j / pool)
      const x = (cell % PW) * pool + (j % pool)
      return (y * OW + x) * O + o
    })
    const layer = { inputs: h * w * c, P, K, O, sees, weights, bias: weights + K * O, joins, J }
    weights += K * O + O
    ;[h, w, c] = [PH, PW, O]
    return layer
  })
}
