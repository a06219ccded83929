import type { Operand } from '../program/Program.ts'
import type { FunctionWriter, Local } from './FunctionWriter.ts'
import type { KernelWriter } from './Kernel.ts'
import { op, simd } from './opcodes.ts'

type Form = { readonly rows: number; readonly columns: number; readonly operands: readonly Operand[] }

/** How many columns one unit has when an operation is shared out by columns: 256 bytes, no vector is cut. */
export const columnsPerUnit = 64

/**
 * The loops over an R by C operation and the loads of its operands. Addresses come as parameters, one per tensor
 * operand, in order. The inner loop counts bytes: `offset` = 4c, which is also the distance into a full operand's row.
 * Units are rows, or runs of `columnsPerUnit` columns through all rows.
 */
export class ElementLoops {
  readonly offset: Local
  readonly #f: KernelWriter
  readonly #form: Form
  readonly #rowLengths: readonly number[]
  readonly #pointers: (Local | undefined)[]
  readonly #vectors: (Local | undefined)[]
  /** First column and column after the last, in bytes. */
  readonly begin: Local
  readonly end: Local
  readonly #swap: Local
  readonly #byColumns: boolean
  #tail = false

  /** @param rowLengths elements of each operand's tensor, by operand position: the period of a `row` operand */
  constructor(f: KernelWriter, form: Form, rowLengths: readonly number[], byColumns: boolean) {
    this.#f = f
    this.#form = form
    this.#rowLengths = rowLengths
    this.#byColumns = byColumns
    let parameter = 0
    this.#pointers = form.operands.map((operand) => ('tensor' in operand ? parameter++ : undefined))
    const inVector = ['row', 'rowIndex', 'columnIndex']
    this.#vectors = form.operands.map((operand) => (inVector.includes(operand.from) ? f.local('v128') : undefined))
    this.offset = f.local('i32')
    this.begin = f.local('i32')
    this.end = f.local('i32')
    this.#swap = f.local('v128')
    f.integer(4 * form.columns).set(this.end)
    if (!byColumns) return
    f.times(f.firstUnit, 4 * columnsPerUnit).set(this.begin)
    f.times(f.endUnit, 4 * columnsPerUnit).get(this.end)
    f.times(f.endUnit, 4 * columnsPerUnit)
      .get(this.end)
      .emit(op.i32LessUnsigned, op.select)
      .set(this.end)
  }

  /** Runs `body` for each row, with the row operands loaded before and all pointers, `outputs` too, moved on after. */
  eachRow(outputs: readonly [Local, number][], body: () => void): void {
    const f = this.#f
    const { rows, columns, operands } = this.#form
    const wrapped = operands.map((operand) => (isPerRow(operand) ? f.local('i32') : undefined))
    const period = (i: number): number => {
      const operand = operands[i]!
      return operand.from === 'rowIndex' ? operand.modulo : this.#rowLengths[i]!
    }
    const moving: [Local, number][] = operands.flatMap((operand, i) =>
      operand.from === 'full' || operand.from === 'swapped' ? [[this.#pointers[i]!, 4 * columns]] : [],
    )
    moving.push(...outputs)
    const [row, rowEnd] = this.#byColumns ? [f.local('i32'), f.local('i32')] : [f.firstUnit, f.endUnit]
    if (this.#byColumns) f.integer(rows).set(rowEnd)
    else {
      for (const [pointer, bytes] of moving) f.advanceBy(pointer, row, bytes)
      wrapped.forEach((index, i) => {
        if (index !== undefined) f.get(row).integer(period(i)).emit(op.i32RemainderUnsigned).set(index)
      })
    }
    f.span(row, rowEnd, 1, () => {
      operands.forEach((operand, i) => {
        const index = wrapped[i]
        if (index === undefined) return
        if (operand.from === 'rowIndex') f.get(index).simd(simd.i32Splat)
        else f.get(this.#pointers[i]!).times(index, 4).emit(op.i32Add).accessSimd(simd.load32Splat, 0)
        f.set(this.#vectors[i]!)
      })
      body()
      for (const [pointer, bytes] of moving) f.advance(pointer, bytes)
      wrapped.forEach((index, i) => {
        // (index + 1) mod n without a division: the product with (index + 1 ≠ n) is 0 at the end of the period.
        if (index !== undefined)
          f.sum(index, 1).sum(index, 1).integer(period(i)).emit(op.i32NotEqual, op.i32Multiply).set(index)
      })
    })
  }

  /** Walks one row: `body(k)` for vectors of four columns, `unroll` of them a turn, then `tail` one column at a time. */
  eachColumn(unroll: number, body: (bytes: number) => void, tail: () => void, beforeTail?: () => void): void {
    const f = this.#f
    const width = 4 * unroll
    const whole = f.local('i32')
    const lanes = this.#form.operands.flatMap((operand, i) =>
      operand.from === 'columnIndex' ? [this.#vectors[i]!] : [],
    )
    const column = (): FunctionWriter =>
      f.get(this.offset).integer(2).emit(op.i32ShiftRight).simd(simd.i32Splat).lanes0123().simd(simd.i32Add)
    f.get(this.end)
      .integer(-4 * width)
      .emit(op.i32And)
      .set(whole)
    f.get(this.begin).set(this.offset)
    for (const lane of lanes) {
      column()
      f.set(lane)
    }
    f.span(this.offset, whole, 4 * width, () => {
      for (let k = 0; k < unroll; k++) {
        body(16 * k)
        for (const lane of lanes) f.get(lane).vector(4, 'i32').simd(simd.i32Add).set(lane)
      }
    })
    if (this.#form.columns % width === 0) return
    beforeTail?.()
    this.#tail = true
    f.span(this.offset, this.end, 4, () => {
      for (const lane of lanes) {
        column()
        f.set(lane)
      }
      tail()
    })
    this.#tail = false
  }

  /** Pushes operand i at the current column plus `bytes`; in the tail only lane 0 counts. */
  push(i: number, bytes: number): void {
    const f = this.#f
    const vector = this.#vectors[i]
    if (vector !== undefined) {
      f.get(vector)
      return
    }
    const isSwapped = this.#form.operands[i]!.from === 'swapped'
    f.get(this.#pointers[i]!).get(this.offset)
    if (isSwapped && this.#tail) f.integer(4).emit(op.i32Xor)
    f.emit(op.i32Add).accessSimd(this.#tail ? simd.load32Zero : simd.load, bytes)
    if (isSwapped && !this.#tail) f.set(this.#swap).permute(this.#swap, [1, 0, 3, 2])
  }
}

const isPerRow = ({ from }: Operand): boolean => from === 'row' || from === 'rowIndex'
