import { type Hex, sha256, toHex, utf8 } from '@potluck/protocol'
import { scalarOperations } from '../scalar/ScalarProgram.ts'
import type { Operation, Program, Strides } from './Program.ts'

const kinds = [
  'map',
  'columnSum',
  'rowSum',
  'rowMaximum',
  'matmul',
  'gatherRows',
  'scatterAddRows',
  'window',
  'windowSum',
] as const
const sources = ['full', 'row', 'column', 'rowIndex', 'columnIndex', 'swapped'] as const

/**
 * The canonical bytes of a program (E-15): `potluck-program-1\n`, then 32-bit little-endian words. Lists begin with
 * their length; constants are f32 bits; names stand in sorted order; labels and tensor names are left out.
 */
export function canonicalBytes(program: Program): Uint8Array {
  const words: number[] = []
  const list = <T>(items: readonly T[], write: (item: T) => void): void => {
    words.push(items.length)
    for (const item of items) write(item)
  }
  const text = (value: string): void => list([...utf8(value)], (byte) => words.push(byte))
  const names = (record: Readonly<Record<string, number>>): void =>
    list(Object.keys(record).sort(), (name) => {
      text(name)
      words.push(record[name]!)
    })
  list(program.tensors, ({ type, shape, view }) => {
    words.push(type === 'f32' ? 0 : 1)
    list(shape, (extent) => words.push(extent))
    words.push(view ? view.base + 1 : 0, view ? view.offset : 0)
  })
  list(program.operations, (operation) => words.push(...operationWords(operation)))
  names(program.inputs)
  names(program.outputs)
  list(program.carries, ({ from, to }) => words.push(from, to))
  const head = utf8('potluck-program-1\n')
  const out = new Uint8Array(head.length + 4 * words.length)
  out.set(head)
  const view = new DataView(out.buffer)
  for (let i = 0; i < words.length; i++) view.setUint32(head.length + 4 * i, words[i]!, true)
  return out
}

/** SHA-256 of the canonical bytes: what a job pins. */
export const programRoot = (program: Program): Hex => toHex(sha256(canonicalBytes(program)))

const strideWords = (s: Strides): number[] => [s.group, s.subgroup, s.row, s.column]

/** The words of one operation; without tensor ids (`shapeOnly`) they name the kernel that computes it. */
export function operationWords(operation: Operation, shapeOnly = false): number[] {
  const words: number[] = [kinds.indexOf(operation.kind)]
  const tensors = (ids: readonly number[]): void => {
    if (!shapeOnly) words.push(ids.length, ...ids)
  }
  if (operation.kind === 'matmul') {
    const { groups, subgroups, M, N, K, a, b, c } = operation
    words.push(groups, subgroups, M, N, K, ...strideWords(a), ...strideWords(b), ...strideWords(c))
    tensors(operation.inputs)
  } else if ('form' in operation) {
    const { images, height, width, channels, kernelHeight, kernelWidth, stride, padding } = operation.form
    words.push(images, height, width, channels, kernelHeight, kernelWidth, stride, padding)
    tensors(operation.inputs)
  } else if ('tableRows' in operation) {
    words.push(operation.tableRows, operation.rows, operation.columns)
    tensors(operation.inputs)
  } else {
    words.push(operation.rows, operation.columns, operation.operands.length)
    for (const operand of operation.operands) {
      words.push(sources.indexOf(operand.from))
      if (operand.from === 'rowIndex') words.push(operand.modulo)
      if ('tensor' in operand) tensors([operand.tensor])
    }
    const { instructions, outputs } = operation.scalar
    words.push(instructions.length)
    for (const instruction of instructions) {
      words.push(scalarOperations.indexOf(instruction.operation), ...instruction.arguments, immediateWord(instruction))
    }
    words.push(outputs.length, ...outputs)
  }
  tensors(operation.outputs)
  return words
}

function immediateWord(instruction: { operation: string; immediate: number }): number {
  if (instruction.operation !== 'constant') return instruction.immediate
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, instruction.immediate)
  return view.getUint32(0)
}
