import { FunctionWriter, type Local, type WasmType } from './FunctionWriter.ts'
import { op, simd } from './opcodes.ts'

/**
 * The function that computes operations of one shape, and how its work may be shared out.
 *
 * Parameters: the addresses of what it reads and of what it writes, of `scratchBytes` of its own, first unit, unit
 * after the last. Result: 1 when a NaN was written, else 0. Units are independent: nobody else writes what one writes,
 * and none is a part of a sum.
 */
export type Kernel = {
  readonly code: FunctionWriter
  readonly units: number
  readonly scratchBytes: number
  /** About how many vector instructions the whole takes: tells what is too little to share. */
  readonly cost: number
}

/** The writer of a kernel function with names for its last three parameters. */
export class KernelWriter extends FunctionWriter {
  readonly scratch: Local
  readonly firstUnit: Local
  readonly endUnit: Local
  readonly #bad: Local
  readonly #isBad: Local

  constructor(tensors: number) {
    const results: readonly WasmType[] = ['i32']
    super(tensors + 3, results)
    this.scratch = tensors
    this.firstUnit = tensors + 1
    this.endUnit = tensors + 2
    this.#bad = this.local('v128')
    this.#isBad = this.local('i32')
  }

  /** Remembers whether one of the four lanes of `value`, or only lane 0, is NaN (E-05). */
  watch(value: Local, lane0Only = false): void {
    this.get(this.#bad)
    const push = (): FunctionWriter => (lane0Only ? this.permute(value, [0, 0, 0, 0]) : this.get(value))
    push()
    push().simd(simd.f32NotEqual).simd(simd.or).set(this.#bad)
  }

  /** As `watch` does, but holds no vector register until the next time. */
  watchAll(values: readonly Local[]): void {
    this.get(this.#isBad)
    values.forEach((value, i) => {
      this.get(value).get(value).simd(simd.f32NotEqual)
      if (i > 0) this.simd(simd.or)
    })
    this.simd(simd.anyTrue).emit(op.i32Or).set(this.#isBad)
  }

  /** Watches `elements` floats from the address in `from` on, which is moved. Rows of 4, then single ones. */
  watchMemory(from: Local, bytes: Local): void {
    const [at, whole, value] = [this.local('i32'), this.local('i32'), this.local('v128')]
    this.integer(0).set(at)
    this.get(bytes).integer(-16).emit(op.i32And).set(whole)
    const load = (code: number): FunctionWriter => this.get(from).get(at).emit(op.i32Add).accessSimd(code, 0).set(value)
    this.span(at, whole, 16, () => {
      load(simd.load)
      this.watch(value)
    })
    this.span(at, bytes, 4, () => {
      load(simd.load32Zero)
      this.watch(value)
    })
  }

  override finish(): number[] {
    this.get(this.#bad).simd(simd.anyTrue).get(this.#isBad).emit(op.i32Or)
    return super.finish()
  }
}
