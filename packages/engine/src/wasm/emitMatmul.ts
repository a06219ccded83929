/**
 * The matrix product kernel. One function per shape and stride pattern, with every extent a constant.
 *
 * Tiles of 4 rows by 8 columns stay in eight vector registers while k runs from 0 to K − 1, so each output element is
 * one chain of rounded products and rounded sums from left to right (E-10); lanes lie across columns. Eight columns of
 * b are copied into a panel [K, 8] first; `a` is copied into panels [K, 4] when its k stride is not 1.
 */
import type { MatmulOperation, Strides } from '../program/Program.ts'
import { FunctionWriter, type Local } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

const tileRows = 4
const tileColumns = 8
const tileBytes = 4 * tileRows * tileColumns

type Form = Pick<MatmulOperation, 'groups' | 'subgroups' | 'M' | 'N' | 'K' | 'a' | 'b' | 'c'>

/** Scratch memory the kernel of this product needs: one tile, one panel of b, the panels of a. */
export function matmulScratchBytes(operation: MatmulOperation): number {
  const { M, K } = rowMajor(operation)
  return tileBytes + 4 * tileColumns * K + 4 * (M + tileRows) * K
}

/** cᵀ = bᵀ·aᵀ when c lies column by column: the same sums in the same order, since a product of two floats commutes. */
function rowMajor(form: Form): Form & { swapped: boolean } {
  if (form.c.column === 1 || form.c.row !== 1) return { ...form, swapped: false }
  const turned = (s: Strides): Strides => ({ ...s, row: s.column, column: s.row })
  const { M, N, a, b, c } = form
  return { ...form, M: N, N: M, a: turned(b), b: turned(a), c: turned(c), swapped: true }
}

/** Parameters: addresses of a, b, c and of `matmulScratchBytes` of scratch. */
export function emitMatmul(operation: MatmulOperation): FunctionWriter {
  const f = new FunctionWriter(4)
  const form = rowMajor(operation)
  const { groups, subgroups, a, b, c } = form
  const outer: [Local, Strides][] = [
    [form.swapped ? 1 : 0, a],
    [form.swapped ? 0 : 1, b],
    [2, c],
  ]
  const inner = outer.map(() => f.local('i32')) as [Local, Local, Local]
  const kernel = new TileWriter(f, form, inner, 3)
  f.loop(f.local('i32'), 0, groups, 1, () => {
    outer.forEach(([address], i) => {
      f.get(address).set(inner[i]!)
    })
    f.loop(f.local('i32'), 0, subgroups, 1, () => {
      kernel.product()
      outer.forEach(([, strides], i) => {
        f.advance(inner[i]!, 4 * strides.subgroup)
      })
    })
    for (const [address, strides] of outer) f.advance(address, 4 * strides.group)
  })
  return f
}

class TileWriter {
  readonly #f: FunctionWriter
  readonly #form: Form
  readonly #a: Local
  readonly #b: Local
  readonly #c: Local
  readonly #tile: Local
  readonly #panel: Local
  readonly #packedA: Local
  readonly #packs: boolean
  readonly #sums: Local[]
  readonly #vectors: Local[]
  readonly #counters: Local[]
  readonly #pointers: Local[]

  constructor(f: FunctionWriter, form: Form, [a, b, c]: [Local, Local, Local], scratch: Local) {
    this.#f = f
    this.#form = form
    ;[this.#a, this.#b, this.#c, this.#tile] = [a, b, c, scratch]
    this.#panel = f.local('i32')
    this.#packedA = f.local('i32')
    this.#packs = form.a.column !== 1 && form.M >= tileRows
    this.#sums = Array.from({ length: 2 * tileRows }, () => f.local('v128'))
    this.#vectors = Array.from({ length: 3 }, () => f.local('v128'))
    this.#counters = Array.from({ length: 3 }, () => f.local('i32'))
    this.#pointers = Array.from({ length: 5 }, () => f.local('i32'))
    f.sum(scratch, tileBytes).set(this.#panel)
    f.sum(this.#panel, 4 * tileColumns * form.K).set(this.#packedA)
  }

  /** One product: panels of eight columns, and in each, tiles of four rows, then single rows. */
  product(): void {
    const f = this.#f
    const { N, b, c } = this.#form
    if (this.#packs) this.#packA()
    const [columns] = this.#counters as [Local]
    const [fromB, toC] = this.#pointers as [Local, Local]
    f.get(this.#b).set(fromB).get(this.#c).set(toC)
    f.loop(columns, 0, N - (N % tileColumns), tileColumns, () => {
      this.#panelOfColumns(tileColumns)
      f.advance(fromB, 4 * tileColumns * b.column).advance(toC, 4 * tileColumns * c.column)
    })
    if (N % tileColumns > 0) this.#panelOfColumns(N % tileColumns)
  }

  #panelOfColumns(width: number): void {
    const f = this.#f
    const { M, K, a, c } = this.#form
    this.#packB(width)
    const [, toC, fromA, tileC] = this.#pointers as [Local, Local, Local, Local]
    const [, rows] = this.#counters as [Local, Local]
    const tiled = M - (M % tileRows)
    f.get(this.#packs ? this.#packedA : this.#a)
      .set(fromA)
      .get(toC)
      .set(tileC)
    f.loop(rows, 0, tiled, tileRows, () => {
      if (this.#packs) this.#tileOf(tileRows, width, fromA, tileC, 4, 4 * tileRows)
      else this.#tileOf(tileRows, width, fromA, tileC, 4 * a.row, 4 * a.column)
      f.advance(fromA, 4 * tileRows * (this.#packs ? K : a.row)).advance(tileC, 4 * tileRows * c.row)
    })
    for (let m = tiled; m < M; m++) {
      f.sum(this.#a, 4 * m * a.row).set(fromA)
      f.sum(toC, 4 * m * c.row).set(tileC)
      this.#tileOf(1, width, fromA, tileC, 0, 4 * a.column)
    }
  }

  /** One tile; `rowBytes` and `stepBytes` lead from a[m, k] to a[m + 1, k] and to a[m, k + 1]. */
  #tileOf(rows: number, width: number, fromA: Local, toC: Local, rowBytes: number, stepBytes: number): void {
    const f = this.#f
    const { K, c } = this.#form
    const sums = this.#sums.slice(0, 2 * rows)
    const [left, right, splat] = this.#vectors as [Local, Local, Local]
    const count = this.#counters[2]!
    const pointer = this.#pointers[4]!
    const panel = f.local('i32')
    const unroll = [4, 2, 1].find((factor) => K % factor === 0)!
    for (const sum of sums) f.vector(0, 'f32').set(sum)
    f.get(fromA).set(pointer).get(this.#panel).set(panel)
    f.loop(count, 0, K, unroll, () => {
      for (let k = 0; k < unroll; k++) {
        f.get(panel)
          .accessSimd(simd.load, 32 * k)
          .set(left)
        f.get(panel)
          .accessSimd(simd.load, 32 * k + 16)
          .set(right)
        for (let m = 0; m < rows; m++) {
          f.get(pointer)
            .accessSimd(simd.load32Splat, m * rowBytes + k * stepBytes)
            .set(splat)
          for (const [half, vector] of [left, right].entries()) {
            const sum = sums[2 * m + half]!
            f.get(sum).get(splat).get(vector).simd(simd.f32Multiply).simd(simd.f32Add).set(sum)
          }
        }
      }
      f.advance(pointer, unroll * stepBytes).advance(panel, 32 * unroll)
    })
    const direct = width === tileColumns && c.column === 1
    const to = direct ? toC : this.#tile
    sums.forEach((sum, i) => {
      const offset = (i >> 1) * (direct ? 4 * c.row : 32) + 16 * (i & 1)
      f.get(to).get(sum).accessSimd(simd.store, offset)
    })
    if (direct) return
    for (let m = 0; m < rows; m++) {
      for (let n = 0; n < width; n++) {
        f.get(toC)
          .get(this.#tile)
          .access(op.f32Load, 32 * m + 4 * n)
        f.access(op.f32Store, 4 * (m * c.row + n * c.column))
      }
    }
  }

  /** Copies `width` columns of b into the panel, zeros beside them. */
  #packB(width: number): void {
    const f = this.#f
    const { K, b } = this.#form
    const [fromB, , , , from] = this.#pointers as [Local, Local, Local, Local, Local]
    const to = f.local('i32')
    f.get(fromB).set(from).get(this.#panel).set(to)
    f.loop(this.#counters[2]!, 0, K, 1, () => {
      if (b.column === 1 && width === tileColumns) {
        for (const offset of [0, 16]) f.get(to).get(from).accessSimd(simd.load, offset).accessSimd(simd.store, offset)
      } else {
        if (width < tileColumns) for (const offset of [0, 16]) f.get(to).vector(0, 'f32').accessSimd(simd.store, offset)
        for (let n = 0; n < width; n++) {
          f.get(to)
            .get(from)
            .access(op.f32Load, 4 * n * b.column)
            .access(op.f32Store, 4 * n)
        }
      }
      f.advance(from, 4 * b.row).advance(to, 4 * tileColumns)
    })
  }

  /** Copies the whole tiles of a into panels [K, 4]. */
  #packA(): void {
    const f = this.#f
    const { M, K, a } = this.#form
    const [rows, steps] = [this.#counters[1]!, this.#counters[2]!]
    const [, , block, , from] = this.#pointers as [Local, Local, Local, Local, Local]
    const to = f.local('i32')
    f.get(this.#a).set(block).get(this.#packedA).set(to)
    f.loop(rows, 0, M - (M % tileRows), tileRows, () => {
      f.get(block).set(from)
      f.loop(steps, 0, K, 1, () => {
        if (a.row === 1) f.get(to).get(from).accessSimd(simd.load, 0).accessSimd(simd.store, 0)
        else {
          for (let m = 0; m < tileRows; m++) {
            f.get(to)
              .get(from)
              .access(op.f32Load, 4 * m * a.row)
              .access(op.f32Store, 4 * m)
          }
        }
        f.advance(from, 4 * a.column).advance(to, 4 * tileRows)
      })
      f.advance(block, 4 * tileRows * a.row)
    })
  }
}
