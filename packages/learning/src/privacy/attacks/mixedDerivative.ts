import { exactExp64 } from '@potluck/engine'
import type { RectifierLayer } from './rectifierLayers.ts'

/** What one pass over one row leaves for the second derivative. All f64. */
export type Pass = {
  /** Input of each layer. */
  readonly x: readonly Float64Array[]
  /** Place in z that each output of a layer came from; −1 where relu is off. None for the last layer. */
  readonly from: readonly Int32Array[]
  /** Gradient of the loss by each layer's z. */
  readonly dz: readonly Float64Array[]
  /** Softmax of the logits. */
  readonly p: Float64Array
}

/**
 * Adds the gradient of one row's cross entropy by the parameters to `gradient`.
 *
 * @param w the flat parameters
 * @param gradient as w; added to
 */
export function addRowGradient(
  layers: readonly RectifierLayer[],
  w: Float64Array,
  row: Float64Array,
  label: number,
  gradient: Float64Array,
): Pass {
  const x: Float64Array[] = [row]
  const from: Int32Array[] = []
  let z: Float64Array = new Float64Array()
  for (const [i, layer] of layers.entries()) {
    z = affine(layer, w, x[i]!)
    if (layer.joins === null) break
    const taken = winners(layer, z)
    from.push(taken)
    x.push(Float64Array.from(taken, (place) => (place < 0 ? 0 : z[place]!)))
  }
  const p = softmax(z)
  const dz: Float64Array[] = []
  dz[layers.length - 1] = p.map((value, c) => (c === label ? value - 1 : value))
  for (let i = layers.length - 1; i >= 0; i--) {
    addWeightGradient(layers[i]!, x[i]!, dz[i]!, gradient)
    if (i > 0) dz[i - 1] = spread(layers[i - 1]!, from[i - 1]!, inputGradient(layers[i]!, w, dz[i]!))
  }
  return { x, from, dz, p }
}

/**
 * The derivative by the row of ⟨gradient by the parameters, v⟩. Derivatives commute: this is how the gradient by the row changes
 * when the parameters move along v, one pass forward and one back.
 *
 * @param v direction, as the parameters
 *
 * Relu and pooling are taken as they stand: their own switching has derivative 0 wherever there is one. Source: Pearlmutter 1994.
 */
export function mixedDerivative(
  layers: readonly RectifierLayer[],
  w: Float64Array,
  v: Float64Array,
  { x, from, dz, p }: Pass,
): Float64Array {
  let moved: Float64Array | null = null
  let movedZ: Float64Array = new Float64Array()
  for (const [i, layer] of layers.entries()) {
    const places = from[i] ?? null
    movedZ = movedAffine(layer, w, v, x[i]!, moved, places)
    if (places) moved = movedZ
  }
  const mean = p.reduce((sum, value, c) => sum + value * movedZ[c]!, 0)
  let movedDz: Float64Array = p.map((value, c) => value * (movedZ[c]! - mean))
  for (let i = layers.length - 1; i > 0; i--) {
    const moving = movedInputGradient(layers[i]!, w, v, dz[i]!, movedDz)
    movedDz = spread(layers[i - 1]!, from[i - 1]!, moving)
  }
  return movedInputGradient(layers[0]!, w, v, dz[0]!, movedDz)
}

/** z of a layer. */
function affine({ P, K, O, sees, weights, bias }: RectifierLayer, w: Float64Array, x: Float64Array): Float64Array {
  const z = new Float64Array(P * O)
  for (let p = 0; p < P; p++) {
    const at = p * O
    for (let o = 0; o < O; o++) z[at + o] = w[bias + o]!
    for (let k = 0; k < K; k++) {
      const place = sees[p * K + k]!
      const value = place < 0 ? 0 : x[place]!
      if (value === 0) continue
      const row = weights + k * O
      for (let o = 0; o < O; o++) z[at + o]! += value * w[row + o]!
    }
  }
  return z
}

/** The first largest place of each window, −1 where it is not above 0. */
function winners({ joins, J }: RectifierLayer, z: Float64Array): Int32Array {
  const out = new Int32Array(joins!.length / J)
  for (let n = 0; n < out.length; n++) {
    let best = -1
    let most = 0
    for (let j = 0; j < J; j++) {
      const place = joins![n * J + j]!
      if (z[place]! > most) {
        most = z[place]!
        best = place
      }
    }
    out[n] = best
  }
  return out
}

/** The gradient by z from that by the layer's output. */
function spread({ P, O }: RectifierLayer, from: Int32Array, dy: Float64Array): Float64Array {
  const dz = new Float64Array(P * O)
  for (let n = 0; n < from.length; n++) if (from[n]! >= 0) dz[from[n]!]! += dy[n]!
  return dz
}

function addWeightGradient(layer: RectifierLayer, x: Float64Array, dz: Float64Array, gradient: Float64Array): void {
  const { P, K, O, sees, weights, bias } = layer
  const units = new Int32Array(O)
  for (let p = 0; p < P; p++) {
    const active = nonZero(dz, p * O, units)
    for (let a = 0; a < active; a++) gradient[bias + units[a]!]! += dz[p * O + units[a]!]!
    for (let k = 0; k < K && active > 0; k++) {
      const place = sees[p * K + k]!
      const value = place < 0 ? 0 : x[place]!
      if (value === 0) continue
      const row = weights + k * O
      for (let a = 0; a < active; a++) gradient[row + units[a]!]! += value * dz[p * O + units[a]!]!
    }
  }
}

function inputGradient(layer: RectifierLayer, w: Float64Array, dz: Float64Array): Float64Array {
  const { inputs, P, K, O, sees, weights } = layer
  const dx = new Float64Array(inputs)
  const units = new Int32Array(O)
  for (let p = 0; p < P; p++) {
    const active = nonZero(dz, p * O, units)
    for (let k = 0; k < K && active > 0; k++) {
      const place = sees[p * K + k]!
      if (place < 0) continue
      const row = weights + k * O
      let sum = 0
      for (let a = 0; a < active; a++) sum += w[row + units[a]!]! * dz[p * O + units[a]!]!
      dx[place]! += sum
    }
  }
  return dx
}

/** How `inputGradient` moves with the parameters along v and the slopes along `movedDz`, which is 0 where relu is off, as dz is. */
function movedInputGradient(
  { inputs, P, K, O, sees, weights }: RectifierLayer,
  w: Float64Array,
  v: Float64Array,
  dz: Float64Array,
  movedDz: Float64Array,
): Float64Array {
  const dx = new Float64Array(inputs)
  const units = new Int32Array(O)
  for (let p = 0; p < P; p++) {
    let active = 0
    for (let o = 0; o < O; o++) if (dz[p * O + o] !== 0 || movedDz[p * O + o] !== 0) units[active++] = o
    for (let k = 0; k < K && active > 0; k++) {
      const place = sees[p * K + k]!
      if (place < 0) continue
      const row = weights + k * O
      let sum = 0
      for (let a = 0; a < active; a++) {
        const o = units[a]!
        sum += v[row + o]! * dz[p * O + o]! + w[row + o]! * movedDz[p * O + o]!
      }
      dx[place]! += sum
    }
  }
  return dx
}

/** The units of one position whose slope is not 0, in `units`: with pooling they are few. @returns how many */
function nonZero(dz: Float64Array, first: number, units: Int32Array): number {
  let count = 0
  for (let o = 0; o < units.length; o++) if (dz[first + o] !== 0) units[count++] = o
  return count
}

/** How the layer's outputs move with the parameters along v and its input along `moved` (null: not at all). @param from null: all of z */
function movedAffine(
  { P, K, O, sees, weights, bias }: RectifierLayer,
  w: Float64Array,
  v: Float64Array,
  x: Float64Array,
  moved: Float64Array | null,
  from: Int32Array | null,
): Float64Array {
  const out = new Float64Array(from ? from.length : P * O)
  for (let n = 0; n < out.length; n++) {
    const place = from ? from[n]! : n
    if (place < 0) continue
    const o = place % O
    const first = ((place - o) / O) * K
    let sum = v[bias + o]!
    for (let k = 0; k < K; k++) {
      const seen = sees[first + k]!
      if (seen < 0) continue
      sum += x[seen]! * v[weights + k * O + o]!
      if (moved) sum += moved[seen]! * w[weights + k * O + o]!
    }
    out[n] = sum
  }
  return out
}

function softmax(z: Float64Array): Float64Array {
  const most = Math.max(...z)
  const weights = z.map((value) => exactExp64(value - most))
  const total = weights.reduce((sum, value) => sum + value, 0)
  return weights.map((value) => value / total)
}
