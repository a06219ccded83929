/** Index maps of operands as axes and terms: how (r, c) of an operation follows from the element and the summation index. */
import type { Strides } from '../program/Program.ts'
import type { IndexAxis, IndexTerm } from './ElementRecord.ts'

/** A coordinate: (⌊v / divide⌋ mod modulo), modulo 0 meaning none. */
export type Coordinate = Omit<IndexTerm, 'coefficient'>

export const element = (divide = 1, modulo = 0): Coordinate => ({ variable: 'element', divide, modulo })
export const summation = (divide = 1, modulo = 0): Coordinate => ({ variable: 'summation', divide, modulo })

/** A coordinate times a coefficient, or nothing when that is 0. */
export const times = (coordinate: Coordinate | null, coefficient: number): IndexTerm[] =>
  coordinate && coefficient !== 0 ? [{ ...coordinate, coefficient }] : []

/** An axis that is its terms: nothing divided, nothing outside. */
export const plainAxis = (terms: readonly IndexTerm[], constant = 0): IndexAxis => ({
  constant,
  divisor: 1,
  limit: 0,
  coefficient: 1,
  terms,
})

/** The coordinate taken modulo n as well; only a coordinate that has no modulo of its own can be. */
export const wrapped = (coordinate: Coordinate, n: number): Coordinate | null =>
  n === 1 ? null : { ...coordinate, modulo: n }

/** (g, h, m, n) of a product from the place of its element. */
export type ProductCoordinates = Record<keyof Strides, Coordinate | null>

/**
 * Inverts c = g·group + h·subgroup + m·row + n·column, for extents in the same order. It can be inverted by divisions when
 * the strides of the axes that are longer than 1, in rising order, are the products of the extents before them; every map
 * that covers each element of a tensor once is of that form.
 *
 * @returns null when it is not
 */
export function invertStrides(strides: Strides, extents: Record<keyof Strides, number>): ProductCoordinates | null {
  const axes = (['group', 'subgroup', 'row', 'column'] as const)
    .filter((axis) => extents[axis] > 1)
    .toSorted((a, b) => strides[a] - strides[b])
  const coordinates: ProductCoordinates = { group: null, subgroup: null, row: null, column: null }
  let covered = 1
  for (const [place, axis] of axes.entries()) {
    if (strides[axis] !== covered) return null
    coordinates[axis] = element(covered, place === axes.length - 1 ? 0 : extents[axis])
    covered *= extents[axis]
  }
  return coordinates
}
