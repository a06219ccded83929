/** The records of an operation's outputs: its scalar program, how long its sums are, and where each operand is read. */
import { PotluckError } from '@potluck/protocol'
import {
  type MapOperation,
  type MatmulOperation,
  type Operand,
  type Operation,
  type ReduceOperation,
  type RowsOperation,
  type Strides,
  type WindowOperation,
  windowCount,
} from '../program/Program.ts'
import type { Instruction } from '../scalar/ScalarProgram.ts'
import type { ComputedRecord, ElementOperand, IndexAxis, IndexTerm } from './ElementRecord.ts'
import { type Coordinate, element, invertStrides, plainAxis, summation, times, wrapped } from './indexMaps.ts'
import { pruneRecord } from './pruneRecord.ts'

/** Where a tensor of the program stands among the trace leaves. */
export type LeafPlace = {
  readonly leaf: number
  readonly depth: number
  readonly offset: number
  /** Elements of the tensor. */
  readonly size: number
  /** Where each row of a matrix is a part of the leaf's tree: its elements, and the places from one to the next. */
  readonly rows?: { readonly columns: number; readonly places: number }
}
export type FindLeaf = (tensor: number) => LeafPlace

const INPUT = (immediate: number): Instruction => ({ operation: 'input', arguments: [], immediate })

/**
 * One record for each output of an operation, in order.
 *
 * @param find the leaf that holds a tensor when the operation runs
 * @throws PotluckError NOT_REFEREED names the operation when its index map cannot be expressed
 */
export function operationRecords(operation: Operation, find: FindLeaf): ComputedRecord[] {
  switch (operation.kind) {
    case 'map':
      return mapRecords(operation, find)
    case 'columnSum':
    case 'rowSum':
    case 'rowMaximum':
      return [reduceRecord(operation, find)]
    case 'matmul':
      return [matmulRecord(operation, operation.label, find)]
    case 'gatherRows':
      return [gatherRecord(operation, find)]
    case 'scatterAddRows':
      return [scatterRecord(operation, find)]
    case 'window':
      return [windowRecord(operation, find)]
    case 'windowSum':
      return [windowSumRecord(operation, find)]
  }
}

function fromTensor({ leaf, depth, offset, rows }: LeafPlace, ...axes: IndexAxis[]): ElementOperand {
  if (rows) {
    const message = `trace leaf ${leaf} holds rows as parts: read whole rows of it, as \`full\` of a sum over rows or columns`
    throw new PotluckError('NOT_REFEREED', message, { leaf })
  }
  return { source: 'tensor', leaf, depth, offset, indirect: 0, indirectCoefficient: 0, indirectLimit: 0, axes }
}

const fromIndex = (...terms: IndexTerm[]): ElementOperand => ({
  ...fromTensor({ leaf: 0, depth: 0, offset: 0, size: 0 }, plainAxis(terms)),
  source: 'index',
})

/** @param r the row, @param c the column, @param C columns of the operation */
function operandAt(operand: Operand, r: Coordinate, c: Coordinate, C: number, find: FindLeaf): ElementOperand {
  if (operand.from === 'columnIndex') return fromIndex(...times(c, 1))
  if (operand.from === 'rowIndex') return fromIndex(...times(wrapped(r, operand.modulo), 1))
  const place = find(operand.tensor)
  switch (operand.from) {
    case 'full': {
      const { rows, ...plain } = place
      // Of rows as parts only sums over whole rows or columns have r and c as variables of their own.
      const isByRow = rows?.columns === C && r.variable !== c.variable
      const places = isByRow ? rows.places : C
      return fromTensor(isByRow ? plain : place, plainAxis([...times(r, places), ...times(c, 1)]))
    }
    case 'swapped':
      // c xor 1 = c + 1 − 2·(c mod 2); C is even, so that the parity of c is that of the variable it is taken from.
      return fromTensor(place, plainAxis([...times(r, C), ...times(c, 1), ...times({ ...c, modulo: 2 }, -2)], 1))
    case 'row':
      return fromTensor(place, plainAxis(times(wrapped(r, place.size), 1)))
    case 'column':
      return fromTensor(place, plainAxis(times(c, 1)))
  }
}

function mapRecords(operation: MapOperation, find: FindLeaf): ComputedRecord[] {
  const { scalar, rows, columns: C } = operation
  const operands = operation.operands.map((operand) => operandAt(operand, element(C), element(1, C), C, find))
  return scalar.outputs.map((output) =>
    pruneRecord({
      kind: 'element',
      size: rows * C,
      reduction: 'none',
      terms: 0,
      operands,
      instructions: scalar.instructions,
      output,
    }),
  )
}

function reduceRecord(operation: ReduceOperation, find: FindLeaf): ComputedRecord {
  const { kind, scalar, rows, columns } = operation
  const isDown = kind === 'columnSum'
  const [r, c] = isDown ? [summation(), element()] : [element(), summation()]
  return pruneRecord({
    kind: 'element',
    size: isDown ? columns : rows,
    reduction: isDown ? 'sum' : kind,
    terms: isDown ? rows : columns,
    operands: operation.operands.map((operand) => operandAt(operand, r, c, columns, find)),
    instructions: scalar.instructions,
    output: scalar.outputs[0]!,
  })
}

function matmulRecord(operation: MatmulOperation, label: string, find: FindLeaf): ComputedRecord {
  const { groups, subgroups, M, N, K, a, b, c } = operation
  const at = invertStrides(c, { group: groups, subgroup: subgroups, row: M, column: N })
  if (!at) {
    const message = `matmul ${label}: the map of its result, ${JSON.stringify(c)}, is no mixed radix: write each element once, without gaps`
    throw new PotluckError('NOT_REFEREED', message, { operator: 'matmul', label })
  }
  const outer = (strides: Strides): IndexTerm[] => [
    ...times(at.group, strides.group),
    ...times(at.subgroup, strides.subgroup),
  ]
  const left = plainAxis([...outer(a), ...times(at.row, a.row), ...times(summation(), a.column)])
  const right = plainAxis([...outer(b), ...times(summation(), b.row), ...times(at.column, b.column)])
  return {
    kind: 'element',
    size: groups * subgroups * M * N,
    reduction: 'sum',
    terms: K,
    operands: [fromTensor(find(operation.inputs[0]), left), fromTensor(find(operation.inputs[1]), right)],
    instructions: [INPUT(0), INPUT(1), { operation: 'multiply', arguments: [0, 1], immediate: 0 }],
    output: 2,
  }
}

function gatherRecord({ inputs, rows, columns: C, tableRows }: RowsOperation, find: FindLeaf): ComputedRecord {
  const table = fromTensor(find(inputs[0]), plainAxis(times(element(1, C), 1)))
  return {
    kind: 'element',
    size: rows * C,
    reduction: 'none',
    terms: 0,
    operands: [
      fromTensor(find(inputs[1]), plainAxis(times(element(C), 1))),
      { ...table, indirect: 1, indirectCoefficient: C, indirectLimit: tableRows },
    ],
    instructions: [INPUT(1)],
    output: 0,
  }
}

/** Σ over r of index[r] = v ? x[r, c] : +0. Adding +0 changes nothing: a sum that starts at +0 is never −0. */
function scatterRecord({ inputs, rows, columns: C, tableRows }: RowsOperation, find: FindLeaf): ComputedRecord {
  return {
    kind: 'element',
    size: tableRows * C,
    reduction: 'sum',
    terms: rows,
    operands: [
      fromTensor(find(inputs[1]), plainAxis(times(summation(), 1))),
      fromIndex(...times(element(C), 1)),
      fromTensor(find(inputs[0]), plainAxis([...times(summation(), C), ...times(element(1, C), 1)])),
    ],
    instructions: [
      INPUT(0),
      INPUT(1),
      INPUT(2),
      { operation: 'constant', arguments: [], immediate: 0 },
      { operation: 'integerEqual', arguments: [0, 1], immediate: 0 },
      { operation: 'select', arguments: [4, 2, 3], immediate: 0 },
    ],
    output: 5,
  }
}

function windowRecord({ form, inputs }: WindowOperation, find: FindLeaf): ComputedRecord {
  const { images, height, width, channels: C, kernelHeight, kernelWidth, stride, padding } = form
  const [OH, OW] = [windowCount(height, kernelHeight, form), windowCount(width, kernelWidth, form)]
  const kernel = kernelHeight * kernelWidth
  const along = (at: Coordinate, within: Coordinate | null, limit: number, coefficient: number): IndexAxis => ({
    constant: 0 - padding,
    divisor: 1,
    limit,
    coefficient,
    terms: [...times(at, stride), ...times(within, 1)],
  })
  const image = plainAxis([
    ...times(element(OH * OW * C * kernel), height * width * C),
    ...times(element(kernel, C), 1),
  ])
  const down = along(element(OW * C * kernel, OH), element(kernelWidth, kernelHeight), height, width * C)
  const across = along(element(C * kernel, OW), element(1, kernelWidth), width, C)
  return {
    kind: 'element',
    size: images * OH * OW * C * kernel,
    reduction: 'none',
    terms: 0,
    operands: [fromTensor(find(inputs[0]), image, down, across)],
    instructions: [INPUT(0)],
    output: 0,
  }
}

/** Windows that read a pixel, i then j ascending; the place (i, j) of a window that does not exist adds +0. */
function windowSumRecord({ form, inputs }: WindowOperation, find: FindLeaf): ComputedRecord {
  const { images, height, width, channels: C, kernelHeight, kernelWidth, stride, padding } = form
  const [OH, OW] = [windowCount(height, kernelHeight, form), windowCount(width, kernelWidth, form)]
  const kernel = kernelHeight * kernelWidth
  const along = (at: Coordinate, within: Coordinate, limit: number, coefficient: number): IndexAxis => ({
    constant: padding,
    divisor: stride,
    limit,
    coefficient,
    terms: [...times(at, 1), ...times(within, -1)],
  })
  const patch = plainAxis([
    ...times(element(height * width * C), OH * OW * C * kernel),
    ...times(element(1, C), kernel),
    ...times(summation(), 1),
  ])
  const down = along(element(width * C, height), summation(kernelWidth), OH, OW * C * kernel)
  const across = along(element(C, width), summation(1, kernelWidth), OW, C * kernel)
  return {
    kind: 'element',
    size: images * height * width * C,
    reduction: 'sum',
    terms: kernel,
    operands: [fromTensor(find(inputs[0]), patch, down, across)],
    instructions: [INPUT(0)],
    output: 0,
  }
}
