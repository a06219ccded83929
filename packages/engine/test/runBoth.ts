import assert from 'node:assert/strict'
import type { Program } from '../src/program/Program.ts'
import { referenceExecution } from '../src/reference/referenceExecution.ts'
import { compileProgram } from '../src/wasm/compileProgram.ts'
import { wasmExecution } from '../src/wasm/wasmExecution.ts'

type Inputs = Readonly<Record<string, Float32Array | Int32Array>>

/** Runs a program on both executors, asserts that every output has equal bits, and returns the outputs. */
export async function runBoth(program: Program, inputs: Inputs): Promise<Record<string, Float32Array>> {
  const executions = [referenceExecution(program), await wasmExecution(await compileProgram(program))]
  for (const execution of executions) {
    for (const [name, values] of Object.entries(inputs)) execution.write(name, values)
    execution.run()
  }
  const outputs: Record<string, Float32Array> = {}
  for (const name of Object.keys(program.outputs)) {
    const [expected, seen] = executions.map((execution) => execution.read(name))
    assertSameBits(seen!, expected!, name)
    outputs[name] = expected!
  }
  return outputs
}

/** Equal length and equal bits, −0 and +0 apart; names the first element that differs. */
export function assertSameBits(seen: Float32Array, expected: Float32Array, what: string): void {
  const [a, b] = [new Uint32Array(seen.slice().buffer), new Uint32Array(expected.slice().buffer)]
  assert.equal(a.length, b.length, what)
  const at = a.findIndex((bits, i) => bits !== b[i])
  assert.equal(at, -1, `${what}[${at}] is ${seen[at]}, expected ${expected[at]}`)
}
