import { PotluckError } from '@potluck/protocol'
import type { Parameter } from '../model/parameterLayout.ts'

/** A parameter with its values; matrices are [in, out]. */
export type Weight = { readonly shape: readonly number[]; readonly values: Float32Array }

/** The parameters of a model by name. */
export type Weights = ReadonlyMap<string, Weight>

/**
 * The parts of one flat array by name, as views.
 *
 * @throws PotluckError SHAPE when the array is longer or shorter than its layout
 */
export function weightsByName(layout: readonly Parameter[], flat: Float32Array): Weights {
  const size = layout.reduce((sum, parameter) => sum + parameter.size, 0)
  if (flat.length !== size) {
    throw new PotluckError('SHAPE', `the layout has ${size} parameters, got ${flat.length} numbers`)
  }
  return new Map(
    layout.map(({ name, shape, offset, size }) => [name, { shape, values: flat.subarray(offset, offset + size) }]),
  )
}

/** One flat array in the order of a layout. Throws FORMAT_MISSING or SHAPE for a weight that is not there or has another shape. */
export function flatWeights(layout: readonly Parameter[], weights: Weights): Float32Array {
  const flat = new Float32Array(layout.reduce((sum, parameter) => sum + parameter.size, 0))
  for (const { name, shape, offset } of layout) flat.set(weightOf(weights, name, shape).values, offset)
  return flat
}

/** A weight by name; throws FORMAT_MISSING when it is not there, SHAPE when its shape is another. */
export function weightOf(weights: Weights, name: string, shape?: readonly number[]): Weight {
  const weight = weights.get(name)
  if (weight === undefined) throw new PotluckError('FORMAT_MISSING', `there is no weight ${name}`, { name })
  if (shape !== undefined && weight.shape.join() !== shape.join()) {
    const message = `weight ${name} must have shape [${shape.join(', ')}], got [${weight.shape.join(', ')}]`
    throw new PotluckError('SHAPE', message, { name })
  }
  return weight
}

/** [R, C] → [C, R]. */
export function transposed({ shape, values }: Weight): Weight {
  const [R = 0, C = 0] = shape
  const turned = new Float32Array(values.length)
  for (let r = 0; r < R; r++) for (let c = 0; c < C; c++) turned[c * R + r] = values[r * C + c]!
  return { shape: [C, R], values: turned }
}

/** Throws BAD_WEIGHTS when adapters lie beside the matrices: a file of plain matrices would leave out what was trained. */
export function checkPlain(weights: Weights): void {
  const adapter = [...weights.keys()].find((name) => name.endsWith('.a'))
  if (adapter === undefined) return
  throw new PotluckError('BAD_WEIGHTS', `${adapter} is an adapter: fold it in first, by plainWeights`, {
    name: adapter,
  })
}
