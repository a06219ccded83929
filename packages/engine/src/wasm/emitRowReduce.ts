import type { ReduceOperation } from '../program/Program.ts'
import { ElementLoops } from './ElementLoops.ts'
import { ScalarCode } from './emitScalar.ts'
import { FunctionWriter } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

/**
 * Kernel of a row sum or row maximum (E-11): two vectors hold the eight partials p0…p7, partial j takes the columns
 * c ≡ j mod 8; then ((p0∘p4)∘(p2∘p6)) ∘ ((p1∘p5)∘(p3∘p7)). Columns past the last multiple of 8 go through `scratch`.
 *
 * Parameters: addresses of the tensor operands, of y, of 32 bytes of scratch.
 */
export function emitRowReduce(operation: ReduceOperation, rowLengths: readonly number[]): FunctionWriter {
  const y = operation.operands.filter((operand) => 'tensor' in operand).length
  const scratch = y + 1
  const f = new FunctionWriter(y + 2)
  const code = new ScalarCode(f, operation.scalar)
  const loops = new ElementLoops(f, operation.rows, operation.columns, operation.operands)
  const sum = operation.kind === 'rowSum'
  const combine = sum ? simd.f32Add : simd.f32PseudoMaximum
  const [low, high] = [f.local('v128'), f.local('v128')]
  loops.eachRow(rowLengths, [], () => {
    for (const partial of [low, high]) f.vector(sum ? 0 : Number.NEGATIVE_INFINITY, 'f32').set(partial)
    let spilled = false
    loops.eachColumn(
      2,
      (bytes) => {
        const [value] = code.emit(f, (input) => loops.push(input, bytes))
        const partial = bytes === 0 ? low : high
        f.get(partial).get(value!).simd(combine).set(partial)
      },
      () => {
        spilled = true
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
    if (spilled) {
      f.get(scratch).accessSimd(simd.load, 0).set(low)
      f.get(scratch).accessSimd(simd.load, 16).set(high)
    }
    f.get(low).get(high).simd(combine).set(low)
    f.get(low).permute(low, [2, 3, 0, 1]).simd(combine).set(low)
    f.get(y).get(low).permute(low, [1, 0, 3, 2]).simd(combine).storeLane0(0)
    f.advance(y, 4)
  })
  return f
}
