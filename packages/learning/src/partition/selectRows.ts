import type { TrainingData } from '@potluck/engine'

/**
 * Some rows of data, in the order given, as data of its own.
 *
 * @param rows row numbers, all below `count`
 * @param count rows of `data`; its inputs and targets are whole multiples of it
 */
export function selectRows(
  data: TrainingData & { readonly kind: 'rows' },
  rows: Uint32Array,
  count: number,
): TrainingData & { readonly kind: 'rows' } {
  const [width, perRow] = [data.inputs.length / count, data.targets.length / count]
  const inputs = new Float32Array(rows.length * width)
  const targets = new (data.targets instanceof Int32Array ? Int32Array : Float32Array)(rows.length * perRow)
  rows.forEach((row, i) => {
    inputs.set(data.inputs.subarray(row * width, (row + 1) * width), i * width)
    targets.set(data.targets.subarray(row * perRow, (row + 1) * perRow), i * perRow)
  })
  return { kind: 'rows', inputs, targets }
}
