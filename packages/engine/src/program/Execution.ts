/**
 * One program with memory of its own, ready to run again and again. Executors differ in speed, never in bits.
 */
export type Execution = {
  /** Fills an input. Throws SHAPE when the length or the type differs, NAN when a value is not a number. */
  write(name: string, values: Float32Array | Int32Array): void
  /** Computes every operation in order, then carries. Throws NAN or INDEX as the operators do. */
  run(): void
  /** A copy of an f32 output, or of an input as it stands. */
  read(name: string): Float32Array
}
