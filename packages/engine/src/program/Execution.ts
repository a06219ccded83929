import type { Hex } from '@potluck/protocol'

/**
 * One program with memory of its own, ready to run again and again. Executors differ in speed, never in bits.
 */
export type Execution = {
  /** Fills an input. Throws SHAPE when the length or the type differs, NAN when a value is not a number. */
  write(name: string, values: Float32Array | Int32Array): void
  /**
   * Computes every operation in order, then carries. Throws NAN or INDEX as the operators do; carried inputs then hold no
   * defined value (E-29).
   */
  run(): void
  /** A copy of an f32 output, or of an input as it stands. */
  read(name: string): Float32Array
  /**
   * A copy of any tensor, by its id, as the last run left it (carries not looked at: a carried input holds its next
   * value). Only inputs and outputs keep their values unless the execution was prepared with `keepAll`.
   */
  readTensor(id: number): Float32Array | Int32Array
  /** The state root (D-02) over the named inputs or outputs, in the order given; hashed in place, nothing is copied. */
  stateRoot(names: readonly string[]): Hex
}

export type PrepareOptions = {
  /** Every tensor gets a place of its own, so that all of them can be read after a run. Costs memory; same bits. */
  readonly keepAll?: boolean
}
