import { checkIndices, checkNumbers } from '../program/checkNumbers.ts'
import type { Execution } from '../program/Execution.ts'
import { inputFor, namedTensor } from '../program/namedTensor.ts'
import {
  type MapOperation,
  type MatmulOperation,
  type Operation,
  type Program,
  type ReduceOperation,
  type RowsOperation,
  sizeOf,
  type WindowOperation,
  windowCount,
} from '../program/Program.ts'
import { stateRoot } from '../program/stateRoot.ts'
import { evaluateScalar } from '../scalar/evaluateScalar.ts'

type Values = Float32Array | Int32Array

/**
 * Runs a program element by element in plain TypeScript: slow, obviously right, the meaning of every operator.
 * Cost: about 20 ns a scalar instruction.
 */
export function referenceExecution(program: Program): Execution {
  const values: Values[] = []
  for (const tensor of program.tensors) {
    const base = tensor.view ? values[tensor.view.base]! : undefined
    const fresh = tensor.type === 'f32' ? new Float32Array(sizeOf(tensor)) : new Int32Array(sizeOf(tensor))
    values.push(base ? base.subarray(tensor.view!.offset, tensor.view!.offset + sizeOf(tensor)) : fresh)
  }
  return {
    write: (name, given) => values[inputFor(program, name, given).id]!.set(given),
    readTensor: (id) => values[id]!.slice(),
    stateRoot: (names) => stateRoot(names.map((name) => values[namedTensor(program, name).id] as Float32Array)),
    read: (name) => Float32Array.from(values[namedTensor(program, name).id]!),
    run() {
      for (const operation of program.operations) {
        runOperation(operation, values)
        for (const output of operation.outputs) checkNumbers(values[output] as Float32Array, operation)
      }
      for (const { from, to } of program.carries) values[to]!.set(values[from]!)
    },
  }
}

function runOperation(operation: Operation, values: Values[]): void {
  switch (operation.kind) {
    case 'map':
      runMap(operation, values)
      break
    case 'columnSum':
    case 'rowSum':
    case 'rowMaximum':
      runReduce(operation, values)
      break
    case 'matmul':
      runMatmul(operation, values)
      break
    case 'window':
    case 'windowSum':
      runWindow(operation, values)
      break
    default:
      checkIndices(values[operation.inputs[1]] as Int32Array, operation.tableRows, operation)
      runRows(operation, values)
  }
}

/** A function of (r, c) that returns the registers of the scalar program at that element. */
function elementOf(
  operation: MapOperation | ReduceOperation,
  values: Values[],
): (r: number, c: number) => Float64Array {
  const { scalar, columns, operands } = operation
  const registers = new Float64Array(scalar.instructions.length)
  const inputs = new Float64Array(operands.length)
  return (r, c) => {
    operands.forEach((operand, i) => {
      if (operand.from === 'columnIndex') inputs[i] = c
      else if (operand.from === 'rowIndex') inputs[i] = r % operand.modulo
      else {
        const tensor = values[operand.tensor]!
        inputs[i] =
          tensor[
            { full: r * columns + c, swapped: r * columns + (c ^ 1), row: r % tensor.length, column: c }[operand.from]
          ]!
      }
    })
    evaluateScalar(scalar, inputs, registers)
    return registers
  }
}

function runMap(operation: MapOperation, values: Values[]): void {
  const element = elementOf(operation, values)
  for (let r = 0; r < operation.rows; r++) {
    for (let c = 0; c < operation.columns; c++) {
      const registers = element(r, c)
      operation.outputs.forEach((output, i) => {
        values[output]![r * operation.columns + c] = registers[operation.scalar.outputs[i]!]!
      })
    }
  }
}

/** Row reductions: eight strided partials, then a fixed tree (E-11). Column sums: down the rows (E-12). */
function runReduce(operation: ReduceOperation, values: Values[]): void {
  const { kind, rows, columns, scalar } = operation
  const element = elementOf(operation, values)
  const out = values[operation.outputs[0]]!
  const register = scalar.outputs[0]!
  if (kind === 'columnSum') {
    for (let c = 0; c < columns; c++) {
      let sum = 0
      for (let r = 0; r < rows; r++) sum = Math.fround(sum + element(r, c)[register]!)
      out[c] = sum
    }
    return
  }
  const combine =
    kind === 'rowSum' ? (a: number, b: number) => Math.fround(a + b) : (a: number, b: number) => (a < b ? b : a)
  const start = kind === 'rowSum' ? 0 : Number.NEGATIVE_INFINITY
  for (let r = 0; r < rows; r++) {
    const p = new Array<number>(8).fill(start)
    for (let c = 0; c < columns; c++) p[c % 8] = combine(p[c % 8]!, element(r, c)[register]!)
    const even = combine(combine(p[0]!, p[4]!), combine(p[2]!, p[6]!))
    const odd = combine(combine(p[1]!, p[5]!), combine(p[3]!, p[7]!))
    out[r] = combine(even, odd)
  }
}

/** c[m, n] = ((0 + a[m,0]·b[0,n]) + a[m,1]·b[1,n]) + …: left to right, each product rounded, then added (E-10). */
function runMatmul(operation: MatmulOperation, values: Values[]): void {
  const { groups, subgroups, M, N, K, a, b, c } = operation
  const [left, right, out] = [values[operation.inputs[0]]!, values[operation.inputs[1]]!, values[operation.outputs[0]]!]
  for (let g = 0; g < groups; g++) {
    for (let h = 0; h < subgroups; h++) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0
          for (let k = 0; k < K; k++) {
            const x = left[g * a.group + h * a.subgroup + m * a.row + k * a.column]!
            const y = right[g * b.group + h * b.subgroup + k * b.row + n * b.column]!
            sum = Math.fround(sum + Math.fround(x * y))
          }
          out[g * c.group + h * c.subgroup + m * c.row + n * c.column] = sum
        }
      }
    }
  }
}

function runRows(operation: RowsOperation, values: Values[]): void {
  const { kind, rows, columns } = operation
  const [x, index, out] = [values[operation.inputs[0]]!, values[operation.inputs[1]]!, values[operation.outputs[0]]!]
  if (kind === 'scatterAddRows') out.fill(0)
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const at = index[r]! * columns + c
      if (kind === 'gatherRows') out[r * columns + c] = x[at]!
      else out[at] = Math.fround(out[at]! + x[r * columns + c]!)
    }
  }
}

function runWindow({ kind, form, inputs, outputs }: WindowOperation, values: Values[]): void {
  const { images, height, width, channels, kernelHeight, kernelWidth, stride, padding } = form
  const [from, to] = [values[inputs[0]]!, values[outputs[0]]!]
  const outHeight = windowCount(height, kernelHeight, form)
  const outWidth = windowCount(width, kernelWidth, form)
  if (kind === 'windowSum') to.fill(0)
  for (let n = 0; n < images; n++) {
    for (let i = 0; i < kernelHeight; i++) {
      for (let j = 0; j < kernelWidth; j++) {
        for (let oh = 0; oh < outHeight; oh++) {
          for (let ow = 0; ow < outWidth; ow++) {
            const [h, w] = [oh * stride + i - padding, ow * stride + j - padding]
            const isInside = h >= 0 && h < height && w >= 0 && w < width
            for (let c = 0; c < channels; c++) {
              const image = ((n * height + h) * width + w) * channels + c
              const patch =
                ((((n * outHeight + oh) * outWidth + ow) * channels + c) * kernelHeight + i) * kernelWidth + j
              if (kind === 'window') to[patch] = isInside ? from[image]! : 0
              else if (isInside) to[image] = Math.fround(to[image]! + from[patch]!)
            }
          }
        }
      }
    }
  }
}
