import { signed, unsigned, word } from './bytes.ts'
import { op, simd } from './opcodes.ts'

export type WasmType = 'i32' | 'f32' | 'v128'
/** Index of a parameter or local variable. */
export type Local = number

export const typeByte = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const

/** Writes the body of one WebAssembly function. Parameters are i32 addresses or counts; locals are made on demand. */
export class FunctionWriter {
  readonly parameters: number
  readonly results: readonly WasmType[]
  readonly #locals: WasmType[] = []
  readonly #code: number[] = []

  constructor(parameters: number, results: readonly WasmType[] = []) {
    this.parameters = parameters
    this.results = results
  }

  local(type: WasmType): Local {
    this.#locals.push(type)
    return this.parameters + this.#locals.length - 1
  }

  emit(...bytes: number[]): this {
    for (const byte of bytes) this.#code.push(byte)
    return this
  }

  get = (local: Local): this => this.emit(op.localGet, ...unsigned(local))
  set = (local: Local): this => this.emit(op.localSet, ...unsigned(local))
  integer = (value: number): this => this.emit(op.i32Const, ...signed(value))
  simd = (code: number): this => this.emit(op.simd, ...unsigned(code))

  /** Pushes local + bytes, or the local alone when bytes is 0. */
  sum(local: Local, bytes: number): this {
    this.get(local)
    return bytes === 0 ? this : this.integer(bytes).emit(op.i32Add)
  }

  /** local += bytes. */
  advance(local: Local, bytes: number): this {
    return bytes === 0 ? this : this.sum(local, bytes).set(local)
  }

  /** Pushes local · factor. */
  times = (local: Local, factor: number): this => this.get(local).integer(factor).emit(op.i32Multiply)

  /** local += other · factor. */
  advanceBy = (local: Local, other: Local, factor: number): this =>
    this.get(local).times(other, factor).emit(op.i32Add).set(local)

  /** A plain or SIMD memory access on the address on the stack. Alignment 2^0 is only a hint and always allowed. */
  access = (code: number, offset: number): this => this.emit(code, 0, ...unsigned(offset))
  accessSimd = (code: number, offset: number): this => this.simd(code).emit(0, ...unsigned(offset))

  /** Stores lane 0 of the vector on the stack at the address below it. */
  storeLane0 = (offset: number): this => this.accessSimd(simd.store32Lane, offset).emit(0)

  vector(value: number, type: 'f32' | 'i32'): this {
    const bytes = word(value, type)
    return this.simd(simd.constant).emit(...bytes, ...bytes, ...bytes, ...bytes)
  }

  /** Pushes a mask of the first `count` lanes; none when it is negative. */
  firstLanes(count: number): this {
    return this.simd(simd.constant).emit(...[0, 1, 2, 3].flatMap((lane) => word(lane < count ? -1 : 0, 'i32')))
  }

  lanes0123(): this {
    return this.simd(simd.constant).emit(...[0, 1, 2, 3].flatMap((lane) => word(lane, 'i32')))
  }

  /** Pushes the four given lanes: 0 to 3 are those of `low`, 4 to 7 those of `high`. */
  shuffle(low: Local, high: Local, lanes: readonly number[]): this {
    const bytes = lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3])
    return this.get(low)
      .get(high)
      .simd(simd.shuffle)
      .emit(...bytes)
  }

  /** Pushes the four given lanes of the vector in `local`. */
  permute = (local: Local, lanes: readonly number[]): this => this.shuffle(local, local, lanes)

  /** Runs `body` while counter goes start, start + step, … below limit; not at all when start ≥ limit. */
  loop(counter: Local, start: number, limit: number, step: number, body: () => void): this {
    if (start >= limit) return this
    this.integer(start).set(counter)
    this.emit(op.loop, 0x40)
    body()
    this.sum(counter, step)
      .emit(op.localTee, ...unsigned(counter))
      .integer(limit)
    return this.emit(op.i32LessUnsigned, op.branchIf, 0, op.end)
  }

  /** Runs `body` while counter, set before, is below the local `limit`, adding `step` after each turn. */
  span(counter: Local, limit: Local, step: number, body: () => void): this {
    const isBelow = (): this => this.get(counter).get(limit).emit(op.i32LessUnsigned)
    return isBelow().branch(() => {
      this.emit(op.loop, 0x40)
      body()
      this.advance(counter, step)
      isBelow().emit(op.branchIf, 0, op.end)
    })
  }

  /** Pops an i32 and writes one of two branches; with a type, both push one value of it. */
  branch(yes: () => void, no?: () => void, type?: WasmType): this {
    this.emit(op.if, type ? typeByte[type] : 0x40)
    yes()
    if (no) {
      this.emit(op.else)
      no()
    }
    return this.emit(op.end)
  }

  /** The function's entry in the code section. */
  finish(): number[] {
    const locals = this.#locals.flatMap((type) => [1, typeByte[type]])
    const body = [...unsigned(this.#locals.length), ...locals]
    const size = body.length + this.#code.length + 1
    return [...unsigned(size), ...body].concat(this.#code, [op.end])
  }
}
