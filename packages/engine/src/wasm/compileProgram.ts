import { type MemoryPlan, planMemory } from '../program/memoryPlan.ts'
import { type Operation, type Program, sizeOf, tensorsRead } from '../program/Program.ts'
import { operationWords } from '../program/programRoot.ts'
import { type CarryPlan, planCarries } from './carryPlan.ts'
import { checkMemory } from './checkMemory.ts'
import { emitColumnSum, emitMap } from './emitMap.ts'
import { emitMatmul } from './emitMatmul.ts'
import { emitRowReduce } from './emitRowReduce.ts'
import { emitRows } from './emitRows.ts'
import { emitWindow, emitWindowSum } from './emitWindow.ts'
import { encodeModule } from './encodeModule.ts'
import type { Kernel } from './Kernel.ts'
import type { Step } from './runSteps.ts'
import { type WasmModule, webAssembly } from './webAssembly.ts'

export type CompiledProgram = {
  readonly program: Program
  readonly module: WasmModule
  readonly plan: MemoryPlan
  readonly carries: CarryPlan
  /** One for each operation of the program. */
  readonly steps: readonly Step[]
  /** Each thread has so many bytes at the start of memory to itself. */
  readonly scratchBytes: number
}

export type CompileOptions = {
  /** Every tensor gets a place of its own. */
  readonly keepAll?: boolean
  readonly threads?: number
  /** More than this is refused. */
  readonly limitBytes?: number
  /** Operations of fewer vector instructions are left to one thread. */
  readonly leastShared?: number
}

/** Some ten microseconds: to meet the other threads costs more than they would save. */
const usualLeastShared = 20_000

type Plan = Omit<CompiledProgram, 'module' | 'steps'> & {
  readonly kernels: readonly Kernel[]
  /** Number of the kernel of each operation. */
  readonly numbers: readonly number[]
}

/** Emits one kernel for each distinct shape of operation and places tensors and scratch in memory. */
export function planProgram(program: Program, keepAll: boolean, threads: number): Plan {
  const kernels: Kernel[] = []
  const known = new Map<string, number>()
  const numbers = program.operations.map((operation) => {
    const rowLengths =
      'operands' in operation
        ? operation.operands.map((operand) => ('tensor' in operand ? sizeOf(program.tensors[operand.tensor]!) : 0))
        : []
    const key = [...operationWords(operation, true), '|', ...rowLengths].join()
    const number = known.get(key) ?? kernels.push(emitKernel(operation, rowLengths)) - 1
    known.set(key, number)
    return number
  })
  const most = kernels.reduce((bytes, kernel) => Math.max(bytes, kernel.scratchBytes), 0)
  // 128: two threads never write one cache line, nor a pair of them.
  const scratchBytes = Math.ceil(most / 128) * 128
  const plan = planMemory(program, threads * scratchBytes, keepAll)
  return { program, kernels, numbers, plan, carries: planCarries(program), scratchBytes }
}

/**
 * A program ready to run on a number of threads. Cost: some ten milliseconds.
 *
 * @throws PotluckError OUT_OF_MEMORY when it would need more than `limitBytes`, before anything is compiled
 */
export async function compileProgram(
  program: Program,
  { keepAll = false, threads = 1, limitBytes, leastShared = usualLeastShared }: CompileOptions = {},
): Promise<CompiledProgram> {
  const planned = planProgram(program, keepAll, threads)
  const { kernels, numbers, plan, carries, scratchBytes } = planned
  checkMemory(plan.peakBytes, limitBytes)
  const steps = program.operations.map((operation, i): Step => {
    const ids = [...tensorsRead(operation), ...operation.outputs]
    const { units, cost } = kernels[numbers[i]!]!
    return {
      kernel: numbers[i]!,
      addresses: [
        ids.map((id) => carries.addressOf(id, plan.addresses, false)),
        ids.map((id) => carries.addressOf(id, plan.addresses, true)),
      ],
      units,
      isShared: threads > 1 && units > 1 && cost >= leastShared,
    }
  })
  const codes = kernels.map((kernel) => kernel.code)
  const module = await webAssembly.compile(encodeModule(codes, threads > 1))
  return { program, module, plan, carries, steps, scratchBytes }
}

function emitKernel(operation: Operation, rowLengths: readonly number[]): Kernel {
  switch (operation.kind) {
    case 'map':
      return emitMap(operation, rowLengths)
    case 'columnSum':
      return emitColumnSum(operation, rowLengths)
    case 'rowSum':
    case 'rowMaximum':
      return emitRowReduce(operation, rowLengths)
    case 'matmul':
      return emitMatmul(operation)
    case 'window':
      return emitWindow(operation.form)
    case 'windowSum':
      return emitWindowSum(operation.form)
    default:
      return emitRows(operation)
  }
}
