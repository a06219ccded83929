import type { Strides } from '../program/Program.ts'
import type { Local } from './FunctionWriter.ts'
import { type Kernel, KernelWriter } from './Kernel.ts'
import type { MatmulForm } from './matmulForm.ts'
import { op, simd } from './opcodes.ts'

const mostRows = 8
/** Columns of one unit. */
const columnsPerUnit = 32
/** Rows of c computed at once, and rows of b taken in one pass by how many they are: the rest of the registers. */
const rowsAtOnce = 2
const stepsOf = [0, 8, 4] as const

/** Few rows against a matrix that lies row by row: what generating a token does. */
export const isStreamed = ({ M, N, b, c }: MatmulForm): boolean =>
  M <= mostRows && N >= 8 && b.column === 1 && c.column === 1

/**
 * Kernel of a product with at most eight rows. b is read in order and where it stands, once for every two rows: a copy
 * would cost more. A few rows of b at a time go into all of c, which stays in the cache; k ascends as ever (E-10).
 *
 * A unit is a run of columns in all products.
 */
export function emitStreamedMatmul(form: MatmulForm): Kernel {
  const { groups, subgroups, M, N, K, swapped } = form
  const f = new KernelWriter(3)
  const [begin, end, whole, bytes, counter] = Array.from({ length: 5 }, () => f.local('i32')) as Five
  const [a, b, c, offset] = Array.from({ length: 4 }, () => f.local('i32')) as [Local, Local, Local, Local]
  const factors = Array.from({ length: 8 }, () => f.local('v128'))
  const allSums = Array.from({ length: rowsAtOnce }, () => f.local('v128'))
  const row = f.local('v128')
  const at = (pointer: Local): KernelWriter => {
    f.get(pointer).get(offset).emit(op.i32Add)
    return f
  }
  /** Adds `count` rows of b to one vector of each row of c, or to one element of it. */
  const addRows = (height: number, count: number, load: number, store: (address: number) => void): void => {
    const sums = allSums.slice(0, height)
    sums.forEach((sum, m) => {
      at(c)
        .accessSimd(load, 4 * m * form.c.row)
        .set(sum)
    })
    for (let k = 0; k < count; k++) {
      at(b)
        .accessSimd(load, 4 * k * form.b.row)
        .set(row)
      sums.forEach((sum, m) => {
        f.get(sum)
          .get(factors[m * stepsOf[height]! + k]!)
          .get(row)
          .simd(simd.f32Multiply)
          .simd(simd.f32Add)
          .set(sum)
      })
    }
    sums.forEach((sum, m) => {
      at(c).get(sum)
      store(4 * m * form.c.row)
    })
  }
  const pass = (height: number, count: number): void => {
    for (let m = 0; m < height; m++) {
      for (let k = 0; k < count; k++) {
        f.get(a).accessSimd(simd.load32Splat, 4 * (m * form.a.row + k * form.a.column))
        f.set(factors[m * stepsOf[height]! + k]!)
      }
    }
    f.get(begin).set(offset)
    f.span(offset, whole, 16, () => addRows(height, count, simd.load, (address) => f.accessSimd(simd.store, address)))
    if (N % 4 !== 0)
      f.span(offset, end, 4, () => addRows(height, count, simd.load32Zero, (address) => f.storeLane0(address)))
    f.advance(a, 4 * count * form.a.column).advance(b, 4 * count * form.b.row)
  }
  /** All of k for `height` rows of c, from those at the addresses in a and c on; puts a and b back. */
  const product = (height: number): void => {
    const steps = stepsOf[height]!
    const eachRow = (body: () => void): void => {
      for (let m = 0; m < height; m++) {
        f.sum(c, 4 * m * form.c.row)
          .get(begin)
          .emit(op.i32Add)
        body()
      }
    }
    eachRow(() => f.integer(0).get(bytes).emit(op.bulk, 11, 0))
    f.loop(counter, 0, K - (K % steps), steps, () => pass(height, steps))
    for (let k = K - (K % steps); k < K; k++) pass(height, 1)
    eachRow(() => {
      f.set(offset)
      f.watchMemory(offset, bytes)
    })
    f.advance(a, -4 * K * form.a.column).advance(b, -4 * K * form.b.row)
  }
  const allRows = (): void => {
    for (let m = 0; m < M; m += rowsAtOnce) {
      product(Math.min(rowsAtOnce, M - m))
      f.advance(a, 4 * rowsAtOnce * form.a.row).advance(c, 4 * rowsAtOnce * form.c.row)
    }
  }
  f.times(f.firstUnit, 4 * columnsPerUnit).set(begin)
  f.times(f.endUnit, 4 * columnsPerUnit).integer(4 * N)
  f.times(f.endUnit, 4 * columnsPerUnit).integer(4 * N)
  f.emit(op.i32LessUnsigned, op.select).set(end)
  f.get(end).integer(-16).emit(op.i32And).set(whole)
  f.get(end).get(begin).emit(op.i32Subtract).set(bytes)
  const pairs: [Local, Local, Strides][] = [
    [a, swapped ? 1 : 0, form.a],
    [b, swapped ? 0 : 1, form.b],
    [c, 2, form.c],
  ]
  const [group, subgroup] = [f.local('i32'), f.local('i32')]
  f.loop(group, 0, groups, 1, () => {
    f.loop(subgroup, 0, subgroups, 1, () => {
      for (const [local, address, strides] of pairs) {
        f.get(address)
          .set(local)
          .advanceBy(local, group, 4 * strides.group)
        f.advanceBy(local, subgroup, 4 * strides.subgroup)
      }
      allRows()
    })
  })
  const cost = (groups * subgroups * M * N * K) / 2
  return { code: f, units: Math.ceil(N / columnsPerUnit), scratchBytes: 0, cost }
}

type Five = [Local, Local, Local, Local, Local]
