import {
  type MapOperation,
  type MatmulOperation,
  type Operand,
  type Operation,
  type Program,
  type ReduceOperation,
  type Strides,
  sizeOf,
  windowCount,
} from '@potluck/engine'
import { encodeScalar, type Rate } from './encodeScalar.ts'

/** Numbers of kinds as in `Kind`, of sources as in `From` of `native/source/program.h`. */
const kinds = [
  'map',
  'columnSum',
  'rowSum',
  'rowMaximum',
  'matmul',
  'gatherRows',
  'scatterAddRows',
  'window',
  'windowSum',
] as const
const COPY = kinds.length
const sources = ['full', 'swapped', 'row', 'column', 'rowIndex', 'columnIndex'] as const
const [FULL, ROW] = [sources.indexOf('full'), sources.indexOf('row')]

/** Up to so many columns a block of the native machine spans several rows; 512 elements make a block. */
const SPANNING_COLUMNS = 256

/**
 * A program as the numbers that `native/source/program.c` decodes.
 *
 * @param address   byte address of a tensor in the memory of the execution
 * @param copies    tensors copied after the last operation
 * @param threads   how many will work on it: narrow shares of columns are laid out otherwise; no bit depends on it
 */
export function encodeProgram(
  program: Program,
  address: (tensor: number) => number,
  copies: readonly { readonly from: number; readonly to: number }[],
  threads: number,
): Float64Array {
  const words: number[] = [program.operations.length + copies.length]
  const size = (id: number): number => sizeOf(program.tensors[id]!)
  for (const operation of program.operations) {
    words.push(kinds.indexOf(operation.kind), ...operationNumbers(operation, address, size, threads))
  }
  for (const { from, to } of copies) words.push(COPY, address(from), address(to), 4 * size(from))
  return Float64Array.from(words)
}

type OfTensor = (tensor: number) => number

function operationNumbers(operation: Operation, address: OfTensor, size: OfTensor, threads: number): number[] {
  if ('operands' in operation) return elementNumbers(operation, address, size, threads)
  const places = [...operation.inputs, ...operation.outputs].map(address)
  if (operation.kind === 'matmul') return matmulNumbers(operation, places)
  if ('tableRows' in operation) return [operation.tableRows, operation.rows, operation.columns, ...places]
  const { images, height, width, channels, kernelHeight, kernelWidth, stride, padding } = operation.form
  const outHeight = windowCount(height, kernelHeight, operation.form)
  const outWidth = windowCount(width, kernelWidth, operation.form)
  return [images, height, width, channels, kernelHeight, kernelWidth, stride, padding, outHeight, outWidth, ...places]
}

/** A product written down its columns is computed as its transpose: a·b and b·a are the same number (E-10). */
function matmulNumbers({ groups, subgroups, M, N, K, a, b, c }: MatmulOperation, places: number[]): number[] {
  const numbers = (s: Strides): number[] => [s.group, s.subgroup, s.row, s.column]
  const turned = (s: Strides): number[] => [s.group, s.subgroup, s.column, s.row]
  const [left = 0, right = 0, out = 0] = places
  if (c.column !== 1 && c.row === 1) {
    return [groups, subgroups, N, M, K, ...turned(b), ...turned(a), ...turned(c), right, left, out]
  }
  return [groups, subgroups, M, N, K, ...numbers(a), ...numbers(b), ...numbers(c), left, right, out]
}

function elementNumbers(
  operation: MapOperation | ReduceOperation,
  address: OfTensor,
  size: OfTensor,
  threads: number,
): number[] {
  const isMap = operation.kind === 'map'
  const { operands } = operation
  let { rows, columns } = operation
  const numbers = (operand: Operand): [from: number, address: number, size: number] => {
    const from = sources.indexOf(operand.from)
    if (operand.from === 'columnIndex') return [from, 0, 0]
    if (operand.from === 'rowIndex') return [from, 0, operand.modulo]
    const length = size(operand.tensor)
    const isWhole =
      (operand.from === 'column' && rows === 1) || (operand.from === 'row' && columns === 1 && length === rows)
    return [isWhole ? FULL : from, address(operand.tensor), length]
  }
  const encoded = operands.map(numbers)
  const isFlat = operands.every(
    ({ from }, i) => from === 'swapped' || encoded[i]![0] === FULL || (from === 'row' && encoded[i]![2] === 1),
  )
  if (isMap && isFlat) [rows, columns] = [1, rows * columns]
  const width = operation.kind === 'columnSum' ? Math.ceil(columns / threads) : columns
  const isSpanning = rows > 1 && width <= SPANNING_COLUMNS
  const rates = operands.map(({ from }, i): Rate => {
    if (from === 'row' && encoded[i]![0] === ROW && encoded[i]![2] === 1) return 'once'
    return !isSpanning && encoded[i]![0] !== FULL && (from === 'row' || from === 'rowIndex') ? 'row' : 'element'
  })
  const scalar = encodeScalar(operation.scalar, rates, isMap)
  return [
    rows,
    columns,
    isSpanning ? 1 : 0,
    scalar.buffers,
    scalar.result,
    scalar.isAside ? 1 : 0,
    operands.length,
    ...encoded.flat(),
    operation.outputs.length,
    ...operation.outputs.map(address),
    scalar.slots.length,
    ...scalar.slots.flatMap(({ kind, value }) => [kind, value]),
    ...[scalar.once, scalar.row, scalar.element].flatMap((code) => [code.length, ...code.flat()]),
  ]
}
