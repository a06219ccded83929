import { PotluckError } from '@potluck/protocol'
import { faultOfOperation } from './faultOfOperation.ts'
import { type Operation, type Program, sizeOf, type Tensor, tensorsRead } from './Program.ts'
import { WrittenParts } from './WrittenParts.ts'

/** Elements of one tensor: addresses and canonical words have 32 bits. */
const MAX_ELEMENTS = 536_870_912

/**
 * Refuses a program that is not in order (E-28). What `ProgramBuilder` writes always is; a program that comes from
 * outside is checked with this before anything else looks at it.
 *
 * @throws PotluckError BAD_PROGRAM for ids, order, registers and names; SHAPE where extents do not fit each other. Facts:
 *   operator, label, shapes
 *
 * Cost: linear in tensors, operations and instructions.
 */
export function checkProgram(program: Program): void {
  const { tensors, operations, inputs, outputs, carries } = program
  const isWhole = [tensors, operations, carries].every(Array.isArray) && Boolean(inputs) && Boolean(outputs)
  if (!isWhole) refuse('BAD_PROGRAM', 'program', '', [], 'takes tensors, operations, inputs, outputs and carries')
  for (const [id, tensor] of tensors.entries()) checkTensor(tensors, tensor, id)
  const memory = new Written()
  const named = (what: string, name: string, id: number): Tensor =>
    tensors[id] ?? refuse('BAD_PROGRAM', what, name, [], `tensor ${id} of ${tensors.length}`)
  for (const [name, id] of Object.entries(inputs)) {
    const tensor = named('input', name, id)
    if (tensor.view) refuse('BAD_PROGRAM', 'input', name, [tensor], 'an input cannot be a view')
    if (!memory.write(tensor)) refuse('BAD_PROGRAM', 'input', name, [tensor], 'is an input under another name too')
  }
  for (const operation of operations) checkOperation(operation, tensors, memory)
  for (const [name, id] of Object.entries(outputs)) {
    const tensor = named('output', name, id)
    if (!memory.isWritten(tensor)) refuse('BAD_PROGRAM', 'output', name, [tensor], 'nothing wrote it')
  }
  const free = new Set(Object.values(inputs))
  for (const { from, to } of carries) {
    const [source, target] = [named('carry', 'from', from), named('carry', 'to', to)]
    const both = [source, target]
    if (!memory.isWritten(source)) refuse('BAD_PROGRAM', 'carry', source.name, both, 'nothing wrote it')
    if (!free.delete(to))
      refuse('BAD_PROGRAM', 'carry', source.name, both, 'goes to no input, or to one already filled')
    if (sizeOf(source) !== sizeOf(target) || source.type !== target.type) {
      refuse('SHAPE', 'carry', source.name, both, 'sizes and types must be equal')
    }
  }
}

/** What inputs and operations have written so far, element by element, views included. */
class Written {
  readonly #parts = new Map<number, WrittenParts>()

  /** False when some of the tensor was written before. */
  write(tensor: Tensor): boolean {
    const start = tensor.view?.offset ?? 0
    return this.#partsOf(tensor).add(start, start + sizeOf(tensor))
  }

  isWritten(tensor: Tensor): boolean {
    const start = tensor.view?.offset ?? 0
    return this.#partsOf(tensor).covers(start, start + sizeOf(tensor))
  }

  #partsOf({ id, view }: Tensor): WrittenParts {
    const base = view?.base ?? id
    const parts = this.#parts.get(base) ?? new WrittenParts()
    this.#parts.set(base, parts)
    return parts
  }
}

function checkTensor(tensors: readonly Tensor[], tensor: Tensor, id: number): void {
  const { name, type, shape, view } = tensor
  const wrong = (code: Code, why: string): never => refuse(code, 'tensor', name, [tensor], why)
  if (tensor.id !== id) wrong('BAD_PROGRAM', `has the id ${tensor.id} at place ${id}`)
  if (type !== 'f32' && type !== 'i32') wrong('BAD_PROGRAM', 'type must be f32 or i32')
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)) wrong('SHAPE', 'extents must be at least 1')
  if (!(sizeOf(tensor) <= MAX_ELEMENTS)) wrong('SHAPE', `more than ${MAX_ELEMENTS} elements`)
  if (!view) return
  const base = tensors[view.base] ?? wrong('BAD_PROGRAM', `views tensor ${view.base} of ${tensors.length}`)
  if (base.view) wrong('BAD_PROGRAM', `views ${base.name}, itself a view`)
  const isInside = Number.isSafeInteger(view.offset) && view.offset >= 0 && view.offset + sizeOf(tensor) <= sizeOf(base)
  if (!isInside) refuse('SHAPE', 'tensor', name, [base, tensor], `at offset ${view.offset} leaves its base`)
  if (base.type !== type) refuse('SHAPE', 'tensor', name, [base, tensor], 'differs from its base in type')
}

function checkOperation(operation: Operation, tensors: readonly Tensor[], memory: Written): void {
  const { kind, label } = operation
  const find = (id: number): Tensor =>
    tensors[id] ?? refuse('BAD_PROGRAM', kind, label, [], `tensor ${id} of ${tensors.length}`)
  const read = tensorsRead(operation).map(find)
  const written = operation.outputs.map(find)
  const fault = faultOfOperation(operation, find)
  if (fault) refuse(fault.code, kind, label, [...read, ...written], fault.why)
  const missing = read.find((tensor) => !memory.isWritten(tensor))
  if (missing) {
    const why = 'is read, but neither an input nor written by an earlier operation: order them, break cycles'
    refuse('BAD_PROGRAM', kind, label, [missing], why)
  }
  for (const tensor of written) {
    if (!memory.write(tensor)) refuse('BAD_PROGRAM', kind, label, [tensor], 'is an input or was written before')
  }
}

type Code = 'BAD_PROGRAM' | 'SHAPE'

function refuse(code: Code, operator: string, label: string, tensors: readonly Tensor[], why: string): never {
  const shapes = tensors.map(({ name, type, shape }) => `${name} ${type}[${shape.join(', ')}]`).join(', ')
  throw new PotluckError(code, `${operator} ${label}: ${shapes ? `${shapes}: ` : ''}${why}`, {
    operator,
    label,
    shapes,
  })
}
