import type { MapOperation, ReduceOperation } from '../program/Program.ts'
import { columnsPerUnit, ElementLoops } from './ElementLoops.ts'
import { ScalarCode } from './emitScalar.ts'
import type { FunctionWriter, Local } from './FunctionWriter.ts'
import { type Kernel, KernelWriter } from './Kernel.ts'
import { op, simd } from './opcodes.ts'

/** Kernel of a map; units are rows, or runs of columns where rows are few. */
export function emitMap(operation: MapOperation, rowLengths: readonly number[]): Kernel {
  const { rows, columns, scalar } = operation
  const tensors = operation.operands.filter((operand) => 'tensor' in operand).length
  const byColumns = columns >= 16 * rows
  const f = new KernelWriter(tensors + operation.outputs.length)
  const code = new ScalarCode(f, scalar)
  const loops = new ElementLoops(f, operation, rowLengths, byColumns)
  const outputs = operation.outputs.map((_, i) => tensors + i)
  const moving = outputs.map((output): [Local, number] => [output, 4 * columns])
  loops.eachRow(moving, () => {
    loops.eachColumn(
      1,
      (bytes) => {
        code
          .emit(f, (input) => loops.push(input, bytes))
          .forEach((value, i) => {
            f.get(outputs[i]!).get(loops.offset).emit(op.i32Add).get(value).accessSimd(simd.store, bytes)
            f.watch(value)
          })
      },
      () => {
        code
          .emit(f, (input) => loops.push(input, 0))
          .forEach((value, i) => {
            f.get(outputs[i]!).get(loops.offset).emit(op.i32Add).get(value).storeLane0(0)
            f.watch(value, true)
          })
      },
    )
  })
  return {
    code: f,
    units: byColumns ? Math.ceil(columns / columnsPerUnit) : rows,
    scratchBytes: 0,
    cost: rows * Math.ceil(columns / 4) * scalar.instructions.length,
  }
}

/** Kernel of a column sum: clears y, then adds row after row, lanes across columns (E-12); units are runs of columns. */
export function emitColumnSum(operation: ReduceOperation, rowLengths: readonly number[]): Kernel {
  const { rows, columns, scalar } = operation
  const y = operation.operands.filter((operand) => 'tensor' in operand).length
  const f = new KernelWriter(y + 1)
  const code = new ScalarCode(f, scalar)
  const loops = new ElementLoops(f, operation, rowLengths, true)
  const [start, length] = [f.local('i32'), f.local('i32')]
  f.get(loops.end).get(loops.begin).emit(op.i32Subtract).set(length)
  f.get(y).get(loops.begin).emit(op.i32Add).set(start)
  f.get(start).integer(0).get(length).emit(op.bulk, 11, 0)
  const address = (): FunctionWriter => f.get(y).get(loops.offset).emit(op.i32Add)
  loops.eachRow([], () => {
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
  f.watchMemory(start, length)
  return {
    code: f,
    units: Math.ceil(columns / columnsPerUnit),
    scratchBytes: 0,
    cost: rows * Math.ceil(columns / 4) * (scalar.instructions.length + 2),
  }
}
