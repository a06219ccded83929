import {
  checkIndices,
  checkNumbers,
  type Execution,
  inputFor,
  joinParts,
  namedTensor,
  type Operation,
  type PrepareOptions,
  type Program,
  planMemory,
  sizeOf,
} from '@potluck/engine'
import { PotluckError, toHex } from '@potluck/protocol'
import type { NativeAddon, TeamHandle } from './addon.ts'
import { encodeProgram } from './encodeProgram.ts'
import { swappedCarries } from './swappedCarries.ts'

export type NativeExecution = Execution & {
  /** Bytes of memory that the tensors take. */
  readonly memoryBytes: number
  /**
   * Milliseconds spent in each operation, in program order, since the last call; counting begins with the first call.
   * The carries that are copied stand at the end.
   */
  profile(): number[]
}

export type NativeTeam = {
  readonly addon: NativeAddon
  readonly handle: TeamHandle
  readonly level: string
  readonly memoryLimitBytes: number
  isClosed: boolean
}

const DONE = -1
const NO_MEMORY = -2

/** A program with a memory of its own in the native executor. Cost: the plan's peak bytes, and a few MiB a thread. */
export function nativeExecution(
  team: NativeTeam,
  program: Program,
  { keepAll = false }: PrepareOptions,
): NativeExecution {
  const { addon, handle, level } = team
  const plan = planMemory(program, 0, keepAll)
  checkMemory(plan.peakBytes, team.memoryLimitBytes)
  const memory = addon.allocate(plan.peakBytes)
  const { swapped, copied } = swappedCarries(program)
  const partner = new Map(swapped.flatMap(({ from, to }) => [[from, to] as const, [to, from] as const]))
  /** Byte address of a tensor: in odd runs those that change places lie in each other's. */
  const addressIn = (isOdd: boolean, id: number): number => {
    const { view } = program.tensors[id]!
    const base = view?.base ?? id
    return plan.addresses[isOdd ? (partner.get(base) ?? base) : base]! + 4 * (view?.offset ?? 0)
  }
  const threads = addon.teamSize(handle)
  const programs = [false, true].map((isOdd) =>
    isOdd && swapped.length === 0
      ? null
      : addon.createProgram(encodeProgram(program, (id) => addressIn(isOdd, id), copied, threads)),
  )
  let isOdd = false
  /** Successors whose value is, since the last run, that of the input they became; their own place holds what was before. */
  const successors = new Map<number, number>()
  const addressOf = (id: number): number => {
    const { view } = program.tensors[id]!
    const input = successors.get(view?.base ?? id)
    return input === undefined ? addressIn(isOdd, id) : addressIn(isOdd, input) + 4 * (view?.offset ?? 0)
  }
  const floats = (id: number): Float32Array => new Float32Array(memory, addressOf(id), sizeOf(program.tensors[id]!))
  const integers = (id: number): Int32Array => new Int32Array(memory, addressOf(id), sizeOf(program.tensors[id]!))
  const valuesOf = (id: number): Float32Array | Int32Array =>
    program.tensors[id]!.type === 'f32' ? floats(id) : integers(id)

  const root = (id: number): Uint8Array => {
    checkOpen(team)
    const bytes = new Uint8Array(32)
    addon.merkleRoot(handle, memory, addressOf(id), 4 * sizeOf(program.tensors[id]!), bytes, false)
    return bytes
  }
  /** An input that is filled again no longer is what its successor was: that one gets its value back. */
  const part = (id: number): void => {
    const base = program.tensors[id]!.view?.base ?? id
    const from = partner.get(base)
    if (from === undefined || !successors.has(from)) return
    const last = floats(from)
    successors.delete(from)
    floats(from).set(last)
  }

  return {
    memoryBytes: plan.peakBytes,
    write(name, values) {
      const { id } = inputFor(program, name, values)
      part(id)
      if (values instanceof Float32Array) floats(id).set(values)
      else integers(id).set(values)
    },
    read: (name) => Float32Array.from(valuesOf(namedTensor(program, name).id)),
    readTensor: (id) => valuesOf(id).slice(),
    stateRoot(names) {
      const ids = names.map((name) => namedTensor(program, name).id)
      const sizes = ids.map((id) => sizeOf(program.tensors[id]!))
      return toHex(joinParts(ids.map(root), sizes))
    },
    profile() {
      const times = programs.flatMap((native) => (native ? [addon.profile(native, true)] : []))
      return times[0]!.map((_, i) => times.reduce((sum, list) => sum + list[i]!, 0) / 1e6)
    },
    run() {
      checkOpen(team)
      successors.clear()
      const failed = addon.run(programs[isOdd ? 1 : 0]!, handle, memory, level)
      if (failed === NO_MEMORY) {
        throw new PotluckError('OUT_OF_MEMORY', 'no scratch memory for the threads: use fewer of them', { threads })
      }
      if (failed !== DONE) explain(program.operations[failed]!, valuesOf)
      if (swapped.length === 0) return
      isOdd = !isOdd
      for (const { from, to } of swapped) successors.set(from, to)
    },
  }
}

/** Throws CLOSED once the threads have ended. */
export function checkOpen({ isClosed }: NativeTeam): void {
  if (isClosed) throw new PotluckError('CLOSED', 'this engine is closed: create another')
}

function checkMemory(bytes: number, limitBytes: number): void {
  if (bytes <= limitBytes) return
  throw new PotluckError(
    'OUT_OF_MEMORY',
    `the program needs ${bytes} bytes of tensors, the limit is ${limitBytes}: take a smaller batch or model, or checkpointing`,
    { bytes, limitBytes },
  )
}

/** Throws what is wrong with the operation that the native executor stopped at (E-05, E-12). */
function explain(operation: Operation, valuesOf: (id: number) => Float32Array | Int32Array): never {
  if (operation.kind === 'gatherRows' || operation.kind === 'scatterAddRows') {
    checkIndices(valuesOf(operation.inputs[1]) as Int32Array, operation.tableRows, operation)
  }
  for (const output of operation.outputs) checkNumbers(valuesOf(output) as Float32Array, operation)
  throw new PotluckError('NATIVE', `${operation.kind} ${operation.label} stopped without a reason: report this`, {
    label: operation.label,
  })
}
