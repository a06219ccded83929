import { type MemoryPlan, planMemory } from '../program/memoryPlan.ts'
import { type Operation, type Program, sizeOf } from '../program/Program.ts'
import { operationWords } from '../program/programRoot.ts'
import { emitColumnSum, emitMap } from './emitMap.ts'
import { emitMatmul, matmulScratchBytes } from './emitMatmul.ts'
import { emitNanScan } from './emitNanScan.ts'
import { emitRowReduce } from './emitRowReduce.ts'
import { emitRows } from './emitRows.ts'
import { encodeModule } from './encodeModule.ts'
import type { FunctionWriter } from './FunctionWriter.ts'
import { type WasmModule, webAssembly } from './webAssembly.ts'

/** One call of a kernel: the function number and its address arguments, then the scans of what it wrote. */
export type Call = {
  readonly operation: Operation
  readonly kernel: number
  readonly addresses: readonly number[]
  readonly scans: readonly { readonly kernel: number; readonly address: number }[]
}

export type CompiledProgram = {
  readonly program: Program
  readonly module: WasmModule
  readonly plan: MemoryPlan
  readonly calls: readonly Call[]
}

/** Emits one kernel for each distinct shape of operation and compiles them. Cost: some ten milliseconds. */
export async function compileProgram(program: Program): Promise<CompiledProgram> {
  const kernels: FunctionWriter[] = []
  const known = new Map<string, number>()
  const kernel = (key: string, emit: () => FunctionWriter): number => {
    const number = known.get(key) ?? kernels.push(emit()) - 1
    known.set(key, number)
    return number
  }
  const scratchBytes = program.operations.reduce(
    (most, operation) => Math.max(most, operation.kind === 'matmul' ? matmulScratchBytes(operation) : 32),
    0,
  )
  const plan = planMemory(program, Math.ceil(scratchBytes / 64) * 64)
  const calls = program.operations.map((operation): Call => {
    const rowLengths =
      'operands' in operation
        ? operation.operands.map((operand) => ('tensor' in operand ? sizeOf(program.tensors[operand.tensor]!) : 0))
        : []
    const key = [...operationWords(operation, true), '|', ...rowLengths].join()
    const inputs =
      'inputs' in operation
        ? [...operation.inputs]
        : operation.operands.flatMap((operand) => ('tensor' in operand ? [operand.tensor] : []))
    return {
      operation,
      kernel: kernel(key, () => emitKernel(operation, rowLengths)),
      // The scratch area lies at address 0; a kernel that has no use for it takes no such argument.
      addresses: [
        ...[...inputs, ...operation.outputs].map((id) => plan.addresses[id]!),
        ...(usesScratch(operation) ? [0] : []),
      ],
      scans: operation.outputs.map((id) => {
        const elements = sizeOf(program.tensors[id]!)
        return { kernel: kernel(`scan ${elements}`, () => emitNanScan(elements)), address: plan.addresses[id]! }
      }),
    }
  })
  return { program, module: await webAssembly.compile(encodeModule(kernels)), plan, calls }
}

const usesScratch = ({ kind }: Operation): boolean => kind === 'matmul' || kind === 'rowSum' || kind === 'rowMaximum'

function emitKernel(operation: Operation, rowLengths: readonly number[]): FunctionWriter {
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
    default:
      return emitRows(operation)
  }
}
