import { faultOfScalar } from '../scalar/faultOfScalar.ts'
import {
  type MapOperation,
  type MatmulOperation,
  type Operation,
  type ReduceOperation,
  type RowsOperation,
  type Strides,
  sizeOf,
  type Tensor,
  type WindowOperation,
  windowCount,
} from './Program.ts'

export type Fault = { readonly code: 'BAD_PROGRAM' | 'SHAPE'; readonly why: string }
type Find = (id: number) => Tensor

const shape = (why: string): Fault => ({ code: 'SHAPE', why })
const bad = (why: string): Fault => ({ code: 'BAD_PROGRAM', why })

/** What is wrong with one operation on its own, or null: extents, types, index maps, its scalar program (E-28). */
export function faultOfOperation(operation: Operation, find: Find): Fault | null {
  switch (operation.kind) {
    case 'map':
    case 'columnSum':
    case 'rowSum':
    case 'rowMaximum':
      return faultOfElements(operation, find)
    case 'matmul':
      return faultOfMatmul(operation, find)
    case 'gatherRows':
    case 'scatterAddRows':
      return faultOfRows(operation, find)
    case 'window':
    case 'windowSum':
      return faultOfWindow(operation, find)
    default:
      return bad('there is no such operation')
  }
}

const areExtents = (...extents: number[]): boolean => extents.every((n) => Number.isSafeInteger(n) && n > 0)

function faultOfElements(operation: MapOperation | ReduceOperation, find: Find): Fault | null {
  const { kind, scalar, rows, columns, operands, outputs } = operation
  if (!areExtents(rows, columns)) return shape(`${rows}×${columns} elements`)
  const fault = faultOfScalar(scalar)
  if (fault) return bad(`scalar program ${scalar.name}: ${fault}`)
  if (outputs.length !== scalar.outputs.length) {
    return bad(`${outputs.length} outputs for the ${scalar.outputs.length} of scalar program ${scalar.name}`)
  }
  const types = operands.map((operand) => ('tensor' in operand ? find(operand.tensor).type : 'i32'))
  if (types.join() !== scalar.inputs.join()) {
    return shape(`scalar program ${scalar.name} takes (${scalar.inputs.join(', ')}), got (${types.join(', ')})`)
  }
  for (const operand of operands) {
    const { from } = operand
    if (from === 'columnIndex') continue
    if (from === 'rowIndex') {
      if (!areExtents(operand.modulo)) return shape(`row index modulo ${operand.modulo}`)
      continue
    }
    if (!('tensor' in operand)) return bad(`there is no operand source ${from}`)
    const size = sizeOf(find(operand.tensor))
    const whole = size === rows * columns
    const fits = { full: whole, swapped: whole && columns % 2 === 0, row: rows % size === 0, column: size === columns }
    if (!Object.hasOwn(fits, from)) return bad(`there is no operand source ${from}`)
    if (!fits[from]) return shape(`${from} operand of ${size} elements in ${rows}×${columns}`)
  }
  const length = { map: rows * columns, columnSum: columns, rowSum: rows, rowMaximum: rows }[kind]
  if (kind !== 'map' && outputs.length !== 1) return bad(`${outputs.length} outputs, a reduction has one`)
  return outputs.every((id) => isFloats(find(id), length)) ? null : shape(`outputs must be f32 of ${length} elements`)
}

const isFloats = (tensor: Tensor, size: number): boolean => tensor.type === 'f32' && sizeOf(tensor) === size

function faultOfMatmul(operation: MatmulOperation, find: Find): Fault | null {
  const { groups, subgroups, M, N, K, a, b, c, inputs, outputs } = operation
  if (!areExtents(groups, subgroups, M, N, K))
    return shape(`${groups}×${subgroups} products of ${M}×${K} and ${K}×${N}`)
  if (inputs.length !== 2 || outputs.length !== 1) return bad('takes two tensors and gives one')
  const [left, right, out] = [find(inputs[0]), find(inputs[1]), find(outputs[0])]
  if ([left, right, out].some(({ type }) => type !== 'f32')) return shape('takes and gives f32')
  const axes = (s: Strides, rows: number, columns: number): Axis[] => [
    [s.group, groups],
    [s.subgroup, subgroups],
    [s.row, rows],
    [s.column, columns],
  ]
  for (const [name, tensor, map] of [
    ['first operand', left, axes(a, M, K)],
    ['second operand', right, axes(b, K, N)],
  ] as const) {
    if (!staysInside(map, sizeOf(tensor))) return shape(`the index map of the ${name} leaves its tensor`)
  }
  const result = axes(c, M, N)
  if (!staysInside(result, sizeOf(out)) || !coversOnce(result, sizeOf(out))) {
    return shape('the index map of the result must reach each of its elements once')
  }
  return null
}

type Axis = readonly [stride: number, extent: number]

const staysInside = (axes: readonly Axis[], size: number): boolean =>
  axes.every(([stride]) => Number.isSafeInteger(stride) && stride >= 0) &&
  axes.reduce((last, [stride, extent]) => last + stride * (extent - 1), 0) < size

/** Sorted by stride, each axis must step over exactly what the smaller ones cover. */
function coversOnce(axes: readonly Axis[], size: number): boolean {
  let covered = 1
  for (const [stride, extent] of axes.filter(([, extent]) => extent > 1).sort((p, q) => p[0] - q[0])) {
    if (stride !== covered) return false
    covered *= extent
  }
  return covered === size
}

function faultOfRows({ kind, tableRows, rows, columns, inputs, outputs }: RowsOperation, find: Find): Fault | null {
  if (!areExtents(tableRows, rows, columns)) return shape(`${rows} of ${tableRows} rows of ${columns}`)
  if (inputs.length !== 2 || outputs.length !== 1) return bad('takes two tensors and gives one')
  const [x, index, out] = [find(inputs[0]), find(inputs[1]), find(outputs[0])]
  if (index.type !== 'i32' || sizeOf(index) !== rows) return shape(`the index must be i32 of ${rows} elements`)
  const [table, picked] = kind === 'gatherRows' ? [x, out] : [out, x]
  if (!isFloats(table, tableRows * columns)) return shape(`the table must be f32 of ${tableRows}×${columns}`)
  return isFloats(picked, rows * columns) ? null : shape(`the rows must be f32 of ${rows}×${columns}`)
}

function faultOfWindow({ kind, form, inputs, outputs }: WindowOperation, find: Find): Fault | null {
  const { images, height, width, channels, kernelHeight, kernelWidth, stride, padding } = form
  if (inputs.length !== 1 || outputs.length !== 1) return bad('takes one tensor and gives one')
  const [high, wide] = [windowCount(height, kernelHeight, form), windowCount(width, kernelWidth, form)]
  const isPadded = Number.isSafeInteger(padding) && padding >= 0 && padding < Math.min(kernelHeight, kernelWidth)
  if (!areExtents(images, height, width, channels, kernelHeight, kernelWidth, stride, high, wide) || !isPadded) {
    return shape(`windows ${JSON.stringify(form)}`)
  }
  const image = images * height * width * channels
  const patches = images * high * wide * channels * kernelHeight * kernelWidth
  const [from, to] = kind === 'window' ? [image, patches] : [patches, image]
  const fits = isFloats(find(inputs[0]), from) && isFloats(find(outputs[0]), to)
  return fits ? null : shape(`takes f32 of ${from} elements and gives ${to}`)
}
