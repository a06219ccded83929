import type { Operand } from '../program/Program.ts'
import type { FunctionWriter, Local } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

/**
 * The loops over an R by C operation and the loads of its operands. Addresses come as parameters, one per tensor
 * operand, in order. The inner loop counts bytes: `offset` = 4c, which is also the distance into a full operand's row.
 */
export class ElementLoops {
  readonly offset: Local
  readonly #f: FunctionWriter
  readonly #rows: number
  readonly #columns: number
  readonly #operands: readonly Operand[]
  readonly #pointers: (Local | undefined)[]
  readonly #vectors: (Local | undefined)[]
  readonly #row: Local
  #tail = false

  constructor(f: FunctionWriter, rows: number, columns: number, operands: readonly Operand[]) {
    this.#f = f
    this.#rows = rows
    this.#columns = columns
    this.#operands = operands
    let parameter = 0
    this.#pointers = operands.map((operand) => ('tensor' in operand ? parameter++ : undefined))
    const inVector = (operand: Operand): boolean => operand.from !== 'full' && operand.from !== 'column'
    this.#vectors = operands.map((operand) => (inVector(operand) ? f.local('v128') : undefined))
    this.offset = f.local('i32')
    this.#row = f.local('i32')
  }

  /**
   * Runs `body` once per row, with the row operands loaded before and the pointers moved on after.
   *
   * @param rowLengths elements of each operand's tensor, by operand position: the period of a `row` operand
   * @param outputs    addresses that move on by one row too
   */
  eachRow(rowLengths: readonly number[], outputs: readonly Local[], body: () => void): void {
    const f = this.#f
    const wrapped = this.#operands.map((operand) =>
      operand.from === 'row' || operand.from === 'rowIndex' ? this.#zeroed() : undefined,
    )
    f.loop(this.#row, 0, this.#rows, 1, () => {
      this.#operands.forEach((operand, i) => {
        const index = wrapped[i]
        if (index === undefined) return
        if (operand.from === 'rowIndex') f.get(index).simd(simd.i32Splat)
        else
          f.get(this.#pointers[i]!)
            .get(index)
            .integer(4)
            .emit(op.i32Multiply, op.i32Add)
            .accessSimd(simd.load32Splat, 0)
        f.set(this.#vectors[i]!)
      })
      body()
      this.#operands.forEach((operand, i) => {
        if (operand.from === 'full') f.advance(this.#pointers[i]!, 4 * this.#columns)
        const index = wrapped[i]
        if (index === undefined) return
        // (index + 1) mod n without a division: the product with (index + 1 ≠ n) is 0 at the end of the period.
        const length = operand.from === 'rowIndex' ? operand.modulo : rowLengths[i]!
        f.sum(index, 1).sum(index, 1).integer(length).emit(op.i32NotEqual, op.i32Multiply).set(index)
      })
      for (const output of outputs) f.advance(output, 4 * this.#columns)
    })
  }

  /** Walks one row: `body(k)` for vectors of four columns, `unroll` of them a turn, then `tail` one column at a time. */
  eachColumn(unroll: number, body: (bytes: number) => void, tail: () => void, beforeTail?: () => void): void {
    const f = this.#f
    const width = 4 * unroll
    const whole = 4 * (this.#columns - (this.#columns % width))
    const lanes = this.#operands.flatMap((operand, i) => (operand.from === 'columnIndex' ? [this.#vectors[i]!] : []))
    for (const lane of lanes) f.lanes0123().set(lane)
    f.loop(this.offset, 0, whole, 4 * width, () => {
      for (let k = 0; k < unroll; k++) {
        body(16 * k)
        for (const lane of lanes) f.get(lane).vector(4, 'i32').simd(simd.i32Add).set(lane)
      }
    })
    if (whole < 4 * this.#columns) beforeTail?.()
    this.#tail = true
    f.loop(this.offset, whole, 4 * this.#columns, 4, () => {
      for (const lane of lanes) f.get(this.offset).integer(2).emit(op.i32ShiftRight).simd(simd.i32Splat).set(lane)
      tail()
    })
    this.#tail = false
  }

  /** Pushes operand i at the current column plus `bytes`; in the tail only lane 0 counts. */
  push(i: number, bytes: number): void {
    const vector = this.#vectors[i]
    if (vector !== undefined) this.#f.get(vector)
    else
      this.#f
        .get(this.#pointers[i]!)
        .get(this.offset)
        .emit(op.i32Add)
        .accessSimd(this.#tail ? simd.load32Zero : simd.load, bytes)
  }

  #zeroed(): Local {
    const index = this.#f.local('i32')
    this.#f.integer(0).set(index)
    return index
  }
}
