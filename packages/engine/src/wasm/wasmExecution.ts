import { merkleRootOfBytes, PotluckError, toHex } from '@potluck/protocol'
import { checkIndices, checkNumbers } from '../program/checkNumbers.ts'
import type { Execution } from '../program/Execution.ts'
import { littleEndianBytes } from '../program/littleEndianBytes.ts'
import { inputFor, namedTensor } from '../program/namedTensor.ts'
import { sizeOf } from '../program/Program.ts'
import { joinParts } from '../program/stateRoot.ts'
import type { CompiledProgram } from './compileProgram.ts'
import { kernelsOf } from './kernelsOf.ts'
import { alone, type Part, runSteps } from './runSteps.ts'
import type { ThreadTeam } from './ThreadTeam.ts'
import { type WasmMemory, webAssembly } from './webAssembly.ts'

/** The tensor root (D-01) of the bytes of a tensor. */
export type TensorHash = (bytes: Uint8Array) => Uint8Array

/**
 * A compiled program with a memory of its own. Several may run side by side. Cost: the plan's peak bytes of memory.
 *
 * @param team the threads the program was compiled for; none for one thread
 */
export async function wasmExecution(
  compiled: CompiledProgram,
  team: ThreadTeam | null = null,
  hash: TensorHash = merkleRootOfBytes,
): Promise<Execution> {
  const { program, module, plan, carries, steps } = compiled
  const memory = memoryFor(plan.peakBytes, team !== null)
  const { exports } = await webAssembly.instantiate(module, { env: { memory } })
  const part: Part = { steps, kernels: kernelsOf(exports), scratch: 0 }
  /** Whether carried tensors have traded places an odd number of times. */
  let turned: 0 | 1 = 0
  /** Carried tensors that lie in the place of the input they have just become, until one of the two is written. */
  const merged = new Map<number, number>()
  const baseOf = (id: number): number => program.tensors[id]!.view?.base ?? id

  const addressOf = (id: number): number => {
    const into = merged.get(baseOf(id))
    const offset = 4 * (program.tensors[id]!.view?.offset ?? 0)
    return into === undefined
      ? carries.addressOf(id, plan.addresses, turned === 1)
      : carries.addressOf(into, plan.addresses, turned === 1) + offset
  }
  const floats = (id: number): Float32Array =>
    new Float32Array(memory.buffer, addressOf(id), sizeOf(program.tensors[id]!))
  const integers = (id: number): Int32Array =>
    new Int32Array(memory.buffer, addressOf(id), sizeOf(program.tensors[id]!))

  /** The first step whose indices are out of range, or the number of steps: index tensors are inputs, so it is known. */
  const stepsInRange = (): number => {
    const at = program.operations.findIndex(
      (operation) =>
        'tableRows' in operation &&
        integers(operation.inputs[1]).some((index) => index < 0 || index >= operation.tableRows),
    )
    return at < 0 ? steps.length : at
  }

  const execution: Execution = {
    write(name, values) {
      const { id } = inputFor(program, name, values)
      for (const { from, to } of carries.trades) {
        if (baseOf(id) !== to || !merged.has(from)) continue
        const kept = floats(from)
        merged.delete(from)
        floats(from).set(kept)
      }
      if (values instanceof Float32Array) floats(id).set(values)
      else integers(id).set(values)
    },
    readTensor: (id) => (program.tensors[id]!.type === 'f32' ? floats(id) : integers(id)).slice(),
    stateRoot(names) {
      const parts = names.map((name) => floats(namedTensor(program, name).id))
      const sizes = parts.map(({ length }) => length)
      return toHex(
        joinParts(
          parts.map((values) => hash(littleEndianBytes(values))),
          sizes,
        ),
      )
    },
    read: (name) => floats(namedTensor(program, name).id).slice(),
    run() {
      merged.clear()
      const end = stepsInRange()
      const isTogether = team !== null && steps.some((step, i) => i < end && step.isShared)
      const at = isTogether ? team.run(number, part, turned, end) : runSteps(part, turned, end, alone)
      const operation = program.operations[at]
      if (operation) {
        for (const output of at < end ? operation.outputs : []) checkNumbers(floats(output), operation)
        if ('tableRows' in operation) checkIndices(integers(operation.inputs[1]), operation.tableRows, operation)
      }
      for (const { from, to } of carries.copies) floats(to).set(floats(from))
      if (carries.trades.length > 0) turned = turned === 0 ? 1 : 0
      for (const { from, to } of carries.trades) merged.set(from, to)
    },
  }
  const number = team === null ? -1 : await team.prepare(compiled, memory, execution)
  return execution
}

const pageBytes = 65536

function memoryFor(bytes: number, shared: boolean): WasmMemory {
  const pages = Math.ceil(bytes / pageBytes)
  try {
    return new webAssembly.Memory({ initial: pages, maximum: pages, ...(shared ? { shared } : {}) })
  } catch (cause) {
    throw new PotluckError(
      'OUT_OF_MEMORY',
      `could not get ${Math.ceil(bytes / 1e6)} MB for the program: take a smaller batch or context, or checkpoints`,
      { bytes },
      { cause, remedy: 'fix-setup' },
    )
  }
}
