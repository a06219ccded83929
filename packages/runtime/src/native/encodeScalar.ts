import { functionConstants, type ScalarProgram } from '@potluck/engine'
import { type BlockOperation, blockOperations } from './blockOperations.ts'
import { bitsOf, type ScalarNode, scalarNodes } from './scalarNodes.ts'

/** How often a value is computed: once an operation, once a row, or for every element. */
export type Rate = 'once' | 'row' | 'element'

/** A slot of the block machine; numbers of kinds as in `SlotKind` of `native/source/program.h`. */
type Slot = { readonly kind: 0 | 1 | 2 | 3 | 4; readonly value: number }
const [TEMPORARY, UNIFORM, CONSTANT, OPERAND, OUTPUT] = [0, 1, 2, 3, 4] as const

export type BlockProgram = {
  readonly slots: readonly Slot[]
  readonly buffers: number
  /** The slot of the value that a reduction takes. */
  readonly result: number
  /**
   * Whether outputs are to be kept aside until a block is done. A map may write over what it reads once an output is
   * computed (E-29); where outputs are not computed in their own place of the order, only that keeps what is read whole.
   */
  readonly isAside: boolean
  /** Instructions of each rate as seven numbers: operation, out, four arguments, immediate. */
  readonly once: readonly number[][]
  readonly row: readonly number[][]
  readonly element: readonly number[][]
}

/** The constants of e^x in the order of `scalar.h`. */
const expConstants = (): number[] => [
  functionConstants.roundingBias,
  functionConstants.log2e,
  functionConstants.ln2High,
  functionConstants.ln2Low,
  0.5,
  1,
  functionConstants.expUnderflow,
  functionConstants.expOverflow,
  ...functionConstants.expCoefficients.toReversed(),
]

/**
 * Sorts the values of a scalar program by how often they change and gives each a slot; buffers whose value is no longer
 * needed are used again.
 *
 * @param rates  how often each input changes
 * @param isMap  whether the outputs are written to memory; a reduction takes the first
 */
export function encodeScalar(scalar: ScalarProgram, rates: readonly Rate[], isMap: boolean): BlockProgram {
  const { nodes, outputs } = scalarNodes(scalar)
  const steps = nodes.flatMap((node, register) => (node ? [{ node, register }] : []))
  const rateOf = new Map<number, Rate>()
  for (const { node, register } of steps) {
    if (node.kind === 'input') rateOf.set(register, rates[node.input]!)
    else if (node.kind === 'constant') rateOf.set(register, 'once')
    else {
      const seen = node.from.map((from) => rateOf.get(from)!)
      rateOf.set(register, seen.includes('element') ? 'element' : seen.includes('row') ? 'row' : 'once')
    }
  }
  const slots: Slot[] = []
  const slotOf = new Map<number, number>()
  const put = (slot: Slot): number => slots.push(slot) - 1
  const lastUse = lastUses(steps, isMap ? [] : outputs)
  const free: number[] = []
  let buffers = 0
  const code: Record<Rate, number[][]> = { once: [], row: [], element: [] }
  const emit = (rate: Rate, operation: BlockOperation, out: number, from: readonly number[], immediate = 0): void => {
    const given = [...from, 0, 0, 0, 0].slice(0, 4)
    code[rate].push([blockOperations.indexOf(operation), out, ...given, immediate])
  }
  const expSlot = steps.some(({ node }) => node.kind === 'instruction' && node.operation === 'exp') ? slots.length : -1
  if (expSlot >= 0) for (const value of expConstants()) put({ kind: CONSTANT, value: bitsOf(value) })
  const buffer = (): number => free.pop() ?? buffers++
  for (const { node, register } of steps) {
    const rate = rateOf.get(register)!
    if (node.kind !== 'instruction') {
      const slot: Slot =
        node.kind === 'input' ? { kind: OPERAND, value: node.input } : { kind: CONSTANT, value: node.bits }
      slotOf.set(register, put(slot))
      continue
    }
    const from = node.from.map((register) => slotOf.get(register)!)
    for (const used of new Set(node.from)) {
      const slot = slots[slotOf.get(used)!]!
      if (slot.kind === TEMPORARY && lastUse.get(used) === register) free.push(slot.value)
    }
    const output = isMap && rate === 'element' ? outputs.indexOf(register) : -1
    const own: Slot =
      rate !== 'element'
        ? { kind: UNIFORM, value: 0 }
        : output >= 0
          ? { kind: OUTPUT, value: output }
          : { kind: TEMPORARY, value: buffer() }
    const slot = put(own)
    slotOf.set(register, slot)
    emit(rate, node.operation, slot, node.operation === 'exp' ? [...from, expSlot] : from, node.immediate)
  }
  const copyTo = (slot: Slot, register: number): number => {
    const to = put(slot)
    emit('element', 'copy', to, [slotOf.get(register)!])
    return to
  }
  if (isMap) {
    outputs.forEach((register, output) => {
      const slot = slots[slotOf.get(register)!]!
      if (slot.kind !== OUTPUT || slot.value !== output) copyTo({ kind: OUTPUT, value: output }, register)
    })
  }
  const [first = 0] = outputs
  const isVector = rateOf.get(first) === 'element'
  const result = isMap || isVector ? slotOf.get(first)! : copyTo({ kind: TEMPORARY, value: buffer() }, first)
  const isInOrder = outputs.every((register, i) => {
    const slot = slots[slotOf.get(register)!]!
    return register === scalar.outputs[i] && slot.kind === OUTPUT && slot.value === i
  })
  const isAside = isMap && outputs.length > 1 && !isInOrder
  return { slots, buffers, result, isAside, once: code.once, row: code.row, element: code.element }
}

/** The register of the last instruction that reads each value; none for those in `kept`. */
function lastUses(
  steps: readonly { readonly node: ScalarNode; readonly register: number }[],
  kept: readonly number[],
): Map<number, number> {
  const last = new Map<number, number>()
  for (const { node, register } of steps) {
    if (node.kind === 'instruction') for (const from of node.from) last.set(from, register)
  }
  for (const register of kept) last.delete(register)
  return last
}
