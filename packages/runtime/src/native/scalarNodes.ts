import { ScalarBuilder, type ScalarProgram, scalarFunctions } from '@potluck/engine'
import { type BlockOperation, blockOperations } from './blockOperations.ts'

/** One value of a scalar program: an input, a constant (its 32 bits), or an instruction over earlier values. */
export type ScalarNode =
  | { readonly kind: 'input'; readonly input: number }
  | { readonly kind: 'constant'; readonly bits: number }
  | {
      readonly kind: 'instruction'
      readonly operation: BlockOperation
      readonly from: readonly number[]
      readonly immediate: number
    }

/**
 * A scalar program as values for the block machine: reinterpretations are gone, e^x is one instruction, and so is a product
 * that only feeds a sum, or a comparison that only feeds a selection. Each still rounds by itself, so no bit changes.
 *
 * @returns a node for each register (those no longer needed are undefined), and the registers of the outputs
 */
export function scalarNodes(program: ScalarProgram): { nodes: (ScalarNode | undefined)[]; outputs: number[] } {
  const nodes: (ScalarNode | undefined)[] = []
  const same: number[] = []
  const real = (register: number): number => same[register]!
  program.instructions.forEach(({ operation, arguments: given, immediate }, register) => {
    same.push(operation === 'bits' || operation === 'fromBits' ? real(given[0]!) : register)
    const argument = exponentArgument(program, register)
    if (argument !== undefined) {
      nodes.push({ kind: 'instruction', operation: 'exp', from: [real(argument)], immediate: 0 })
    } else if (operation === 'input') nodes.push({ kind: 'input', input: immediate })
    else if (operation === 'constant') nodes.push({ kind: 'constant', bits: bitsOf(immediate) })
    else if (operation === 'integer') nodes.push({ kind: 'constant', bits: immediate >>> 0 })
    else if (operation === 'bits' || operation === 'fromBits') nodes.push(undefined)
    else {
      const name = blockOperations.find((known) => known === operation)
      if (!name) throw new TypeError(`no native instruction for ${operation}`)
      nodes.push({ kind: 'instruction', operation: name, from: given.map(real), immediate })
    }
  })
  const outputs = program.outputs.map(real)
  dropUnused(nodes, outputs)
  joinPairs(nodes, outputs)
  dropUnused(nodes, outputs)
  return { nodes, outputs }
}

const word = new DataView(new ArrayBuffer(4))
export function bitsOf(value: number): number {
  word.setFloat32(0, value)
  return word.getUint32(0)
}

const template = ((): ScalarProgram => {
  const s = new ScalarBuilder('exp')
  return s.finish(scalarFunctions.exp(s, s.input()))
})()

/** The register whose exponential `register` is, when the instructions up to it are those of `exp` (E-06). */
function exponentArgument(program: ScalarProgram, register: number): number | undefined {
  const known = new Map<number, number>()
  const matches = (expected: number, seen: number): boolean => {
    const before = known.get(expected)
    if (before !== undefined) return before === seen
    known.set(expected, seen)
    const [a, b] = [template.instructions[expected]!, program.instructions[seen]!]
    if (a.operation === 'input') return true
    return (
      a.operation === b.operation &&
      Object.is(a.immediate, b.immediate) &&
      a.arguments.every((argument, i) => matches(argument, b.arguments[i]!))
    )
  }
  const root = template.outputs[0]!
  if (program.instructions[register]!.operation !== template.instructions[root]!.operation) return undefined
  return matches(root, register) ? known.get(0) : undefined
}

function dropUnused(nodes: (ScalarNode | undefined)[], outputs: readonly number[]): void {
  const used = new Set(outputs)
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]
    if (!used.has(i)) nodes[i] = undefined
    else if (node?.kind === 'instruction') for (const from of node.from) used.add(from)
  }
}

const selections: Partial<Record<BlockOperation, BlockOperation>> = {
  less: 'selectLess',
  lessOrEqual: 'selectLessOrEqual',
  equal: 'selectEqual',
  integerEqual: 'selectIntegerEqual',
  integerLessOrEqual: 'selectIntegerLessOrEqual',
}

/** Joins a product with the only sum or difference it feeds, and a comparison with the only selection it feeds. */
function joinPairs(nodes: (ScalarNode | undefined)[], outputs: readonly number[]): void {
  const uses = new Map<number, number>()
  const use = (register: number): void => void uses.set(register, (uses.get(register) ?? 0) + 1)
  outputs.forEach(use)
  for (const node of nodes) if (node?.kind === 'instruction') node.from.forEach(use)
  const feeder = (register: number): readonly [BlockOperation, readonly number[]] | null => {
    const node = nodes[register]
    return node?.kind === 'instruction' && uses.get(register) === 1 ? [node.operation, node.from] : null
  }
  nodes.forEach((node, i) => {
    if (node?.kind !== 'instruction') return
    const [first, second] = [node.from[0]!, node.from[1]!]
    const join = (operation: BlockOperation, from: readonly number[]): void => {
      nodes[i] = { kind: 'instruction', operation, from, immediate: 0 }
    }
    const left = feeder(first)
    if (node.operation === 'select' && left && selections[left[0]]) {
      join(selections[left[0]]!, [...left[1], second, node.from[2]!])
    } else if (node.operation === 'add' || node.operation === 'subtract') {
      const right = feeder(second)
      const isSum = node.operation === 'add'
      if (left?.[0] === 'multiply') join(isSum ? 'multiplyAdd' : 'multiplySubtract', [...left[1], second])
      else if (right?.[0] === 'multiply') join(isSum ? 'multiplyAdd' : 'subtractProduct', [...right[1], first])
    }
  })
}
