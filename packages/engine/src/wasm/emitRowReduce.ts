import type { ReduceOperation } from '../program/Program.ts'
import { ElementLoops } from './ElementLoops.ts'
import { ScalarCode } from './emitScalar.ts'
import type { FunctionWriter } from './FunctionWriter.ts'
import { type Kernel, KernelWriter } from './Kernel.ts'
import { op, simd } from './opcodes.ts'

/**
 * Kernel of a row sum or row maximum (E-11): two vectors hold the eight partials p0…p7, partial j takes the columns
 * c ≡ j mod 8; then ((p0∘p4)∘(p2∘p6)) ∘ ((p1∘p5)∘(p3∘p7)). Columns past the last multiple of 8 go through scratch.
 * Units are rows.
 */
export function emitRowReduce(operation: ReduceOperation, rowLengths: readonly number[]): Kernel {
  const { kind, rows, columns, scalar } = operation
  const y = operation.operands.filter((operand) => 'tensor' in operand).length
  const f = new KernelWriter(y + 1)
  const { scratch } = f
  const code = new ScalarCode(f, scalar)
  const loops = new ElementLoops(f, operation, rowLengths, false)
  const isSum = kind === 'rowSum'
  const combine = isSum ? simd.f32Add : simd.f32PseudoMaximum
  const [low, high] = [f.local('v128'), f.local('v128')]
  const spills = columns % 8 !== 0
  // y moves with the rows like an operand does, one element a row.
  loops.eachRow([[y, 4]], () => {
    for (const partial of [low, high]) f.vector(isSum ? 0 : Number.NEGATIVE_INFINITY, 'f32').set(partial)
    loops.eachColumn(
      2,
      (bytes) => {
        const [value] = code.emit(f, (input) => loops.push(input, bytes))
        const partial = bytes === 0 ? low : high
        f.get(partial).get(value!).simd(combine).set(partial)
      },
      () => {
        const [value] = code.emit(f, (input) => loops.push(input, 0))
        const address = (): FunctionWriter => f.get(scratch).get(loops.offset).integer(31).emit(op.i32And, op.i32Add)
        address()
        address().accessSimd(simd.load32Zero, 0).get(value!).simd(combine).storeLane0(0)
      },
      () => {
        f.get(scratch).get(low).accessSimd(simd.store, 0)
        f.get(scratch).get(high).accessSimd(simd.store, 16)
      },
    )
    if (spills) {
      f.get(scratch).accessSimd(simd.load, 0).set(low)
      f.get(scratch).accessSimd(simd.load, 16).set(high)
    }
    f.get(low).get(high).simd(combine).set(low)
    f.get(low).permute(low, [2, 3, 0, 1]).simd(combine).set(low)
    f.get(low).permute(low, [1, 0, 3, 2]).simd(combine).set(low)
    f.get(y).get(low).storeLane0(0)
    f.watch(low, true)
  })
  return {
    code: f,
    units: rows,
    scratchBytes: 32,
    cost: rows * (Math.ceil(columns / 4) * (scalar.instructions.length + 1) + 8),
  }
}
