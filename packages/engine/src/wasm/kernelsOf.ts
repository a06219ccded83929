import type { WasmKernel } from './webAssembly.ts'

/** The functions of a module in order; they are exported as "0", "1", …. */
export function kernelsOf(exports: Readonly<Record<string, WasmKernel>>): WasmKernel[] {
  const kernels: WasmKernel[] = []
  for (let next = exports[0]; next; next = exports[kernels.length]) kernels.push(next)
  return kernels
}
