import type { RowsOperation } from '../program/Program.ts'
import { FunctionWriter } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

/** Kernel of a gather or a scatter-add (E-12). Parameters: addresses of x, of the indices, of y. */
export function emitRows(operation: RowsOperation): FunctionWriter {
  const f = new FunctionWriter(3)
  const [x, index, y] = [0, 1, 2]
  const rowBytes = 4 * operation.columns
  const indexed = f.local('i32')
  const gathers = operation.kind === 'gatherRows'
  if (!gathers)
    f.get(y)
      .integer(0)
      .integer(operation.tableRows * rowBytes)
      .emit(op.bulk, 11, 0)
  f.loop(f.local('i32'), 0, operation.rows, 1, () => {
    f.get(gathers ? x : y)
      .get(index)
      .access(op.i32Load, 0)
      .integer(rowBytes)
      .emit(op.i32Multiply, op.i32Add)
      .set(indexed)
    if (gathers) f.get(y).get(indexed).integer(rowBytes).emit(op.bulk, 10, 0, 0)
    else addRow(f, indexed, x, operation.columns)
    f.advance(gathers ? y : x, rowBytes).advance(index, 4)
  })
  return f
}

function addRow(f: FunctionWriter, to: number, from: number, columns: number): void {
  const offset = f.local('i32')
  const at = (pointer: number): FunctionWriter => f.get(pointer).get(offset).emit(op.i32Add)
  const whole = 4 * (columns - (columns % 4))
  f.loop(offset, 0, whole, 16, () => {
    at(to)
    at(to).accessSimd(simd.load, 0)
    at(from).accessSimd(simd.load, 0).simd(simd.f32Add).accessSimd(simd.store, 0)
  })
  f.loop(offset, whole, 4 * columns, 4, () => {
    at(to)
    at(to).access(op.f32Load, 0)
    at(from).access(op.f32Load, 0).emit(op.f32Add).access(op.f32Store, 0)
  })
}
