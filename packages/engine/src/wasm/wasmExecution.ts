import { checkIndices, checkNumbers } from '../program/checkNumbers.ts'
import type { Execution } from '../program/Execution.ts'
import { inputFor, namedTensor } from '../program/namedTensor.ts'
import { sizeOf } from '../program/Program.ts'
import type { CompiledProgram } from './compileProgram.ts'
import { type WasmKernel, webAssembly } from './webAssembly.ts'

/** A compiled program with a memory of its own. Several may run side by side. Cost: the plan's peak bytes of memory. */
export async function wasmExecution(compiled: CompiledProgram): Promise<Execution> {
  const { program, module, plan, calls } = compiled
  const memory = new webAssembly.Memory({ initial: Math.ceil(plan.peakBytes / 65536) })
  const { exports } = await webAssembly.instantiate(module, { env: { memory } })
  const kernels: WasmKernel[] = []
  for (let next = exports[0]; next; next = exports[kernels.length]) kernels.push(next)
  const floats = (id: number): Float32Array =>
    new Float32Array(memory.buffer, plan.addresses[id]!, sizeOf(program.tensors[id]!))
  const integers = (id: number): Int32Array =>
    new Int32Array(memory.buffer, plan.addresses[id]!, sizeOf(program.tensors[id]!))

  return {
    write(name, values) {
      const { id } = inputFor(program, name, values)
      if (values instanceof Float32Array) floats(id).set(values)
      else integers(id).set(values)
    },
    read: (name) => floats(namedTensor(program, name).id).slice(),
    run() {
      for (const { operation, kernel, addresses, scans } of calls) {
        if (operation.kind === 'gatherRows' || operation.kind === 'scatterAddRows') {
          checkIndices(integers(operation.inputs[1]), operation.tableRows, operation)
        }
        kernels[kernel]!(...addresses)
        scans.forEach((scan, i) => {
          if (kernels[scan.kernel]!(scan.address) !== 0) checkNumbers(floats(operation.outputs[i]!), operation)
        })
      }
      for (const { from, to } of program.carries) floats(to).set(floats(from))
    },
  }
}
