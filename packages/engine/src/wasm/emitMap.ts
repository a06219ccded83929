import type { MapOperation, ReduceOperation } from '../program/Program.ts'
import { ElementLoops } from './ElementLoops.ts'
import { ScalarCode } from './emitScalar.ts'
import { FunctionWriter } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

/** Kernel of a map. Parameters: addresses of the tensor operands, then of the outputs. */
export function emitMap(operation: MapOperation, rowLengths: readonly number[]): FunctionWriter {
  const tensors = operation.operands.filter((operand) => 'tensor' in operand).length
  const f = new FunctionWriter(tensors + operation.outputs.length)
  const code = new ScalarCode(f, operation.scalar)
  const loops = new ElementLoops(f, operation.rows, operation.columns, operation.operands)
  const outputs = operation.outputs.map((_, i) => tensors + i)
  loops.eachRow(rowLengths, outputs, () => {
    loops.eachColumn(
      1,
      (bytes) => {
        code
          .emit(f, (input) => loops.push(input, bytes))
          .forEach((value, i) => {
            f.get(outputs[i]!).get(loops.offset).emit(op.i32Add).get(value).accessSimd(simd.store, bytes)
          })
      },
      () => {
        code
          .emit(f, (input) => loops.push(input, 0))
          .forEach((value, i) => {
            f.get(outputs[i]!).get(loops.offset).emit(op.i32Add).get(value).storeLane0(0)
          })
      },
    )
  })
  return f
}

/** Kernel of a column sum: clears y, then adds row after row, lanes across columns (E-12). */
export function emitColumnSum(operation: ReduceOperation, rowLengths: readonly number[]): FunctionWriter {
  const y = operation.operands.filter((operand) => 'tensor' in operand).length
  const f = new FunctionWriter(y + 1)
  const code = new ScalarCode(f, operation.scalar)
  const loops = new ElementLoops(f, operation.rows, operation.columns, operation.operands)
  f.get(y)
    .integer(0)
    .integer(4 * operation.columns)
    .emit(op.bulk, 11, 0)
  const address = (): FunctionWriter => f.get(y).get(loops.offset).emit(op.i32Add)
  loops.eachRow(rowLengths, [], () => {
    loops.eachColumn(
      1,
      (bytes) => {
        const [value] = code.emit(f, (input) => loops.push(input, bytes))
        address()
        address().accessSimd(simd.load, bytes).get(value!).simd(simd.f32Add).accessSimd(simd.store, bytes)
      },
      () => {
        const [value] = code.emit(f, (input) => loops.push(input, 0))
        address()
        address().accessSimd(simd.load32Zero, 0).get(value!).simd(simd.f32Add).storeLane0(0)
      },
    )
  })
  return f
}
