/**
 * The matrix product kernel. One function per shape and stride pattern, with every extent a constant.
 *
 * Tiles of 5 rows by 8 columns stay in ten vector registers while k runs from 0 to K − 1, so each output element is
 * one chain of rounded products and rounded sums from left to right (E-10); lanes lie across columns. Eight columns of
 * b are copied into a panel [K, 8] first; `a` is copied into panels [K, 5] when its k stride is not 1. Of x86's sixteen
 * registers this leaves two for b, one for a, one for the product: 6 by 8 spills and takes twice the time.
 *
 * A unit is one panel of columns in one block of rows of one product; units go product by product, block by block.
 */
import type { MatmulOperation, Strides } from '../program/Program.ts'
import { copyPanel } from './copyPanel.ts'
import { emitStreamedMatmul, isStreamed } from './emitStreamedMatmul.ts'
import type { Local } from './FunctionWriter.ts'
import { type Kernel, KernelWriter } from './Kernel.ts'
import { type MatmulForm, rowMajor } from './matmulForm.ts'
import { op, simd } from './opcodes.ts'

const tileRows = 5
const tileColumns = 8
const tileBytes = 4 * tileRows * tileColumns
/** Products with fewer panels than this are cut into blocks of rows too, so that threads find enough units. */
const enoughUnits = 24
const leastBlockRows = 64

/** Rows as tiles of five, then of four, then single ones: 16 and more need no single ones. */
function tilesOf(rows: number): { fives: number; fours: number } {
  const fours = (5 - (rows % 5)) % 5
  if (4 * fours <= rows) return { fives: (rows - 4 * fours) / 5, fours }
  return { fives: Math.floor(rows / 5), fours: rows % 5 === 4 ? 1 : 0 }
}

export function emitMatmul(operation: MatmulOperation): Kernel {
  const form = rowMajor(operation)
  return isStreamed(form) ? emitStreamedMatmul(form) : new TiledMatmul(form).kernel()
}

class TiledMatmul {
  readonly #f = new KernelWriter(3)
  readonly #form: MatmulForm
  readonly #blocks: number
  readonly #blockRows: number
  readonly #panels: number
  /** Whether `a` is copied, so that its tiles are read in one stream. */
  readonly #packs: boolean
  /** Addresses of this unit's block of a, panel of b, tile row of c; where the copies lie. */
  readonly #a: Local
  readonly #b: Local
  readonly #c: Local
  readonly #panel: Local
  readonly #packedA: Local
  /** Rows of this block: where the tiles of five end, those of four, and all. */
  readonly #rows: readonly [Local, Local, Local]
  readonly #sums: Local[]
  readonly #vectors: Local[]
  readonly #counter: Local
  readonly #pointers: Local[]

  constructor(form: MatmulForm) {
    const f = this.#f
    this.#form = form
    this.#panels = Math.ceil(form.N / tileColumns)
    const products = form.groups * form.subgroups
    const wanted = Math.ceil(enoughUnits / (products * this.#panels))
    const blocks = Math.max(1, Math.min(wanted, Math.floor(form.M / leastBlockRows)))
    this.#blockRows = Math.ceil(form.M / blocks / tileRows) * tileRows
    this.#blocks = Math.ceil(form.M / this.#blockRows)
    this.#packs = form.a.column !== 1 && form.M >= 4
    const integers = (count: number): Local[] => Array.from({ length: count }, () => f.local('i32'))
    ;[this.#a, this.#b, this.#c, this.#panel] = integers(4) as [Local, Local, Local, Local]
    ;[this.#packedA, this.#counter] = integers(2) as [Local, Local]
    this.#rows = integers(3) as [Local, Local, Local]
    this.#pointers = integers(4)
    this.#sums = Array.from({ length: 2 * tileRows }, () => f.local('v128'))
    this.#vectors = Array.from({ length: 3 }, () => f.local('v128'))
  }

  kernel(): Kernel {
    const f = this.#f
    const { groups, subgroups, M, N, K } = this.#form
    const products = groups * subgroups
    const [column, rest, packed] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.sum(f.scratch, tileBytes).set(this.#panel)
    f.sum(this.#panel, 4 * tileColumns * K).set(this.#packedA)
    f.integer(-1).set(packed)
    f.span(f.firstUnit, f.endUnit, 1, () => {
      f.get(f.firstUnit).integer(this.#panels).emit(op.i32RemainderUnsigned).set(column)
      f.get(f.firstUnit).integer(this.#panels).emit(op.i32DivideUnsigned).set(rest)
      this.#locate(column, rest)
      if (this.#packs) {
        f.get(rest).get(packed).emit(op.i32NotEqual)
        f.branch(() => {
          this.#packA()
          f.get(rest).set(packed)
        })
      }
      const last = N % tileColumns
      if (last === 0) this.#panelOfColumns(tileColumns)
      else if (N < tileColumns) this.#panelOfColumns(last)
      else {
        f.get(column)
          .integer(this.#panels - 1)
          .emit(op.i32Equal)
        f.branch(
          () => this.#panelOfColumns(last),
          () => this.#panelOfColumns(tileColumns),
        )
      }
    })
    const scratchBytes = tileBytes + 4 * tileColumns * K + (this.#packs ? 4 * this.#blockRows * K : 0)
    return { code: f, units: products * this.#blocks * this.#panels, scratchBytes, cost: (products * M * N * K) / 2 }
  }

  /** Sets the addresses and the number of rows of the unit in panel `column` of (product, block) `rest`. */
  #locate(column: Local, rest: Local): void {
    const f = this.#f
    const { subgroups, M, a, b, c, swapped } = this.#form
    const [product, block] = [this.#pointers[0]!, this.#pointers[1]!]
    f.get(rest).integer(this.#blocks).emit(op.i32DivideUnsigned).set(product)
    f.get(rest).integer(this.#blocks).emit(op.i32RemainderUnsigned).set(block)
    const at = (address: Local, from: Local, { group, subgroup }: Strides): void => {
      f.get(from)
      f.get(product)
        .integer(subgroups)
        .emit(op.i32DivideUnsigned)
        .integer(4 * group)
        .emit(op.i32Multiply, op.i32Add)
      f.get(product)
        .integer(subgroups)
        .emit(op.i32RemainderUnsigned)
        .integer(4 * subgroup)
        .emit(op.i32Multiply, op.i32Add)
      f.set(address)
    }
    at(this.#a, swapped ? 1 : 0, a)
    at(this.#b, swapped ? 0 : 1, b)
    at(this.#c, 2, c)
    f.advanceBy(this.#a, block, 4 * this.#blockRows * a.row)
    f.advanceBy(this.#c, block, 4 * this.#blockRows * c.row)
    f.advanceBy(this.#b, column, 4 * tileColumns * b.column)
    f.advanceBy(this.#c, column, 4 * tileColumns * c.column)
    // Whole blocks are all fives; the last one has the rest.
    const lastRows = M - (this.#blocks - 1) * this.#blockRows
    const { fives, fours } = tilesOf(lastRows)
    for (const [i, end] of [5 * fives, 5 * fives + 4 * fours, lastRows].entries()) {
      f.integer(this.#blockRows).integer(end)
      f.get(block)
        .integer(this.#blocks - 1)
        .emit(op.i32NotEqual, op.select)
        .set(this.#rows[i]!)
    }
  }

  #panelOfColumns(width: number): void {
    const f = this.#f
    const { K, a, b, c } = this.#form
    copyPanel(this.#f, this.#b, this.#panel, { count: width, width: tileColumns, K, element: b.column, step: b.row })
    const [row, fromA, toC] = this.#pointers as [Local, Local, Local]
    f.get(this.#packs ? this.#packedA : this.#a).set(fromA)
    f.get(this.#c).set(toC).integer(0).set(row)
    this.#eachTile((rows, end) => {
      // Single rows are not packed.
      if (rows === 1)
        f.get(this.#a)
          .set(fromA)
          .advanceBy(fromA, row, 4 * a.row)
      const isPacked = this.#packs && rows > 1
      f.span(row, end, rows, () => {
        if (isPacked) this.#tileOf(rows, width, fromA, toC, 4, 4 * rows)
        else this.#tileOf(rows, width, fromA, toC, 4 * a.row, 4 * a.column)
        f.advance(fromA, 4 * rows * (isPacked ? K : a.row)).advance(toC, 4 * rows * c.row)
      })
    })
  }

  /** Calls `body` for the tile heights this shape has, with the row at which tiles of this height end. */
  #eachTile(body: (rows: number, end: Local) => void): void {
    const { M } = this.#form
    const { fives, fours } = tilesOf(M - (this.#blocks - 1) * this.#blockRows)
    if (fives > 0 || this.#blocks > 1) body(5, this.#rows[0])
    if (fours > 0) body(4, this.#rows[1])
    if (M - (this.#blocks - 1) * this.#blockRows > 5 * fives + 4 * fours) body(1, this.#rows[2])
  }

  /** One tile; `rowBytes` and `stepBytes` lead from a[m, k] to a[m + 1, k] and to a[m, k + 1]. */
  #tileOf(rows: number, width: number, fromA: Local, toC: Local, rowBytes: number, stepBytes: number): void {
    const f = this.#f
    const { K } = this.#form
    const sums = this.#sums.slice(0, 2 * rows)
    const [left, right, splat] = this.#vectors as [Local, Local, Local]
    const pointer = this.#pointers[3]!
    const panel = f.local('i32')
    const unroll = [4, 2, 1].find((factor) => K % factor === 0)!
    for (const sum of sums) f.vector(0, 'f32').set(sum)
    f.get(fromA).set(pointer).get(this.#panel).set(panel)
    f.loop(this.#counter, 0, K, unroll, () => {
      for (let k = 0; k < unroll; k++) {
        f.get(panel)
          .accessSimd(simd.load, 32 * k)
          .set(left)
        f.get(panel)
          .accessSimd(simd.load, 32 * k + 16)
          .set(right)
        for (let m = 0; m < rows; m++) {
          // The offset is added to the address, not given to the load: V8 keeps offsets of such loads in registers,
          // of which there are too few here.
          f.sum(pointer, m * rowBytes + k * stepBytes)
            .accessSimd(simd.load32Splat, 0)
            .set(splat)
          for (const [half, vector] of [left, right].entries()) {
            const sum = sums[2 * m + half]!
            f.get(sum).get(splat).get(vector).simd(simd.f32Multiply).simd(simd.f32Add).set(sum)
          }
        }
      }
      f.advance(pointer, unroll * stepBytes).advance(panel, 32 * unroll)
    })
    this.#store(sums, width, toC)
  }

  #store(sums: readonly Local[], width: number, toC: Local): void {
    const f = this.#f
    const { c } = this.#form
    const isDirect = width === tileColumns && c.column === 1
    const to = isDirect ? toC : f.scratch
    sums.forEach((sum, i) => {
      const half = i & 1
      // Beside a narrow panel stand products with zeros, which can be NaN and are nobody's elements.
      if (width < tileColumns)
        f.get(sum)
          .firstLanes(width - 4 * half)
          .simd(simd.and)
          .set(sum)
      const offset = (i >> 1) * (isDirect ? 4 * c.row : 32) + 16 * half
      f.get(to).get(sum).accessSimd(simd.store, offset)
    })
    f.watchAll(sums)
    if (isDirect) return
    for (let m = 0; m < sums.length / 2; m++) {
      for (let n = 0; n < width; n++) {
        f.get(toC)
          .get(f.scratch)
          .access(op.f32Load, 32 * m + 4 * n)
        f.access(op.f32Store, 4 * (m * c.row + n * c.column))
      }
    }
  }

  /** Copies the tiles of five and of four of this block of a into panels [K, 5] and [K, 4]. */
  #packA(): void {
    const f = this.#f
    const { K, a } = this.#form
    const [row, from, to] = this.#pointers as [Local, Local, Local]
    f.get(this.#a).set(from).get(this.#packedA).set(to).integer(0).set(row)
    this.#eachTile((rows, end) => {
      if (rows === 1) return
      f.span(row, end, rows, () => {
        copyPanel(f, from, to, { count: rows, width: rows, K, element: a.row, step: a.column })
        f.advance(from, 4 * rows * a.row).advance(to, 4 * rows * K)
      })
    })
  }
}
