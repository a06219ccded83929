/** What `native/source/addon.c` exports. Handles are opaque; memory is zero at first and belongs to the addon. */
export type NativeAddon = {
  /** Levels of the processor that it has kernels for, best first. */
  readonly levels: readonly string[]
  /** How SHA-256 is computed: `sha-ni`, `armv8` or `portable`. */
  readonly sha: string
  createTeam(threads: number): TeamHandle
  teamSize(team: TeamHandle): number
  endTeam(team: TeamHandle): void
  /** Throws OUT_OF_MEMORY. */
  allocate(bytes: number): ArrayBuffer
  createProgram(words: Float64Array): ProgramHandle
  /** The number of the operation that went wrong, −1 when none did, −2 when there was no scratch memory. */
  run(program: ProgramHandle, team: TeamHandle, memory: ArrayBuffer, level: string): number
  /** Nanoseconds spent in each operation since counting began; counting goes on from zero, or ends. */
  profile(program: ProgramHandle, isOn: boolean): number[]
  /** Writes the root (D-01) over a range of the buffer; `isPortable` leaves the processor's instructions aside. */
  merkleRoot(
    team: TeamHandle,
    buffer: ArrayBuffer,
    offset: number,
    bytes: number,
    root: Uint8Array,
    isPortable: boolean,
  ): void
  /** Writes the sums (E-11) of the squares of each update, and of its products with the reference. Throws SHAPE and CLOSED. */
  measureUpdates(
    team: TeamHandle,
    level: string,
    updates: readonly Float32Array[],
    length: number,
    reference: Float32Array,
    squares: Float32Array,
    dots: Float32Array,
  ): void
  /** Adds each update times its factor to `moved`, in their order (E-12); factors stand twice. Throws SHAPE and CLOSED. */
  addUpdates(
    team: TeamHandle,
    level: string,
    updates: readonly Float32Array[],
    length: number,
    moved: Float32Array,
    factors: Float32Array,
    same: Float32Array,
  ): void
}

declare const brand: unique symbol
export type TeamHandle = { readonly [brand]: 'team' }
export type ProgramHandle = { readonly [brand]: 'program' }
