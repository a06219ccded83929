import type { Parameter } from './parameterLayout.ts'

/** A parameter before it has a place. */
export type ParameterEntry = Pick<Parameter, 'name' | 'shape' | 'start' | 'decays'>

/** Parameters one after the other in one flat array, without gaps. */
export function layoutOf(entries: readonly ParameterEntry[]): readonly Parameter[] {
  let offset = 0
  return entries.map(({ name, shape, start, decays }) => {
    const size = shape.reduce((product, extent) => product * extent, 1)
    const parameter = { name, shape, offset, size, start, decays }
    offset += size
    return parameter
  })
}

/** Elements of a layout. */
export const sizeOfLayout = (layout: readonly Parameter[]): number =>
  layout.reduce((sum, parameter) => sum + parameter.size, 0)
