import type { RowsOperation } from '../program/Program.ts'
import { type Kernel, KernelWriter } from './Kernel.ts'
import { op, simd } from './opcodes.ts'

/** Columns of one unit of a scatter. */
const columnsPerUnit = 16

/** Kernel of a gather or a scatter-add (E-12). Reads x and the indices, writes y. */
export const emitRows = (operation: RowsOperation): Kernel =>
  operation.kind === 'gatherRows' ? emitGather(operation) : emitScatter(operation)

/** Units are rows of y. It only copies: no NaN can appear. */
function emitGather({ rows, columns }: RowsOperation): Kernel {
  const f = new KernelWriter(3)
  const [x, index, y] = [0, 1, 2]
  const rowBytes = 4 * columns
  f.advanceBy(index, f.firstUnit, 4).advanceBy(y, f.firstUnit, rowBytes)
  f.span(f.firstUnit, f.endUnit, 1, () => {
    f.get(y).get(x).get(index).access(op.i32Load, 0).integer(rowBytes).emit(op.i32Multiply, op.i32Add)
    f.integer(rowBytes).emit(op.bulk, 10, 0, 0)
    f.advance(y, rowBytes).advance(index, 4)
  })
  return { code: f, units: rows, scratchBytes: 0, cost: (rows * columns) / 4 }
}

/** Units are runs of columns: each takes all rows of x in order. */
function emitScatter({ rows, columns, tableRows }: RowsOperation): Kernel {
  const f = new KernelWriter(3)
  const [x, index, y] = [0, 1, 2]
  const rowBytes = 4 * columns
  const [begin, end, whole, offset, row, to, bytes] = Array.from({ length: 7 }, () => f.local('i32')) as Locals
  const value = f.local('v128')
  f.times(f.firstUnit, 4 * columnsPerUnit).set(begin)
  f.times(f.endUnit, 4 * columnsPerUnit).integer(rowBytes)
  f.times(f.endUnit, 4 * columnsPerUnit)
    .integer(rowBytes)
    .emit(op.i32LessUnsigned, op.select)
    .set(end)
  f.get(end).integer(-16).emit(op.i32And).set(whole)
  f.get(end).get(begin).emit(op.i32Subtract).set(bytes)
  const eachTableRow = (body: () => void): void => {
    f.get(y).get(begin).emit(op.i32Add).set(to)
    f.loop(row, 0, tableRows, 1, () => {
      body()
      f.advance(to, rowBytes)
    })
  }
  eachTableRow(() => f.get(to).integer(0).get(bytes).emit(op.bulk, 11, 0))
  f.loop(row, 0, rows, 1, () => {
    f.get(y).get(index).access(op.i32Load, 0).integer(rowBytes).emit(op.i32Multiply, op.i32Add).set(to)
    const at = (pointer: number): KernelWriter => {
      f.get(pointer).get(offset).emit(op.i32Add)
      return f
    }
    f.get(begin).set(offset)
    f.span(offset, whole, 16, () => {
      at(to)
      at(to).accessSimd(simd.load, 0)
      at(x).accessSimd(simd.load, 0).simd(simd.f32Add).accessSimd(simd.store, 0)
    })
    if (columns % 4 !== 0)
      f.span(offset, end, 4, () => {
        at(to).accessSimd(simd.load32Zero, 0)
        at(x).accessSimd(simd.load32Zero, 0).simd(simd.f32Add).set(value)
        at(to).get(value).storeLane0(0)
      })
    f.advance(x, rowBytes).advance(index, 4)
  })
  eachTableRow(() => f.watchMemory(to, bytes))
  const cost = ((2 * tableRows + 3 * rows) * columns) / 4
  return { code: f, units: Math.ceil(columns / columnsPerUnit), scratchBytes: 0, cost }
}

type Locals = [number, number, number, number, number, number, number]
