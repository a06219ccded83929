import { PotluckError } from '@potluck/protocol'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import {
  type MatmulOperation,
  type Operand,
  type Operation,
  type Program,
  type ReduceOperation,
  type Strides,
  sizeOf,
  type Tensor,
} from './Program.ts'

/** How a map names its operands while the program is written. */
export type OperandOf =
  | { from: 'full' | 'row' | 'column'; tensor: Tensor }
  | { from: 'rowIndex'; modulo: number }
  | { from: 'columnIndex' }

export const full = (tensor: Tensor): OperandOf => ({ from: 'full', tensor })
export const row = (tensor: Tensor): OperandOf => ({ from: 'row', tensor })
export const column = (tensor: Tensor): OperandOf => ({ from: 'column', tensor })
export const rowIndex = (modulo: number): OperandOf => ({ from: 'rowIndex', modulo })
export const columnIndex: OperandOf = { from: 'columnIndex' }

export type MatmulForm = Pick<MatmulOperation, 'groups' | 'subgroups' | 'M' | 'N' | 'K' | 'a' | 'b' | 'c'>

/**
 * Writes a program operation by operation and checks every shape as it goes.
 * Errors: SHAPE names the operator, the operation's label and the shapes seen.
 */
export class ProgramBuilder {
  readonly #tensors: Tensor[] = []
  readonly #operations: Operation[] = []
  readonly #inputs: Record<string, number> = {}
  readonly #outputs: Record<string, number> = {}
  readonly #carries: { from: number; to: number }[] = []
  #scope = ''

  /** Labels and tensor names written inside `body` begin with `name.`. */
  within<T>(name: string, body: () => T): T {
    const outer = this.#scope
    this.#scope = `${outer}${name}.`
    try {
      return body()
    } finally {
      this.#scope = outer
    }
  }

  input(name: string, shape: readonly number[], type: Tensor['type'] = 'f32'): Tensor {
    const tensor = this.tensor(name, shape, type)
    this.#inputs[name] = tensor.id
    return tensor
  }

  output(name: string, tensor: Tensor): void {
    this.#outputs[name] = tensor.id
  }

  /** After each run `from` replaces `to`, an input of the same size. */
  carry(from: Tensor, to: Tensor): void {
    if (sizeOf(from) !== sizeOf(to)) this.#refuse('carry', to.name, [from, to], 'sizes must be equal')
    this.#carries.push({ from: from.id, to: to.id })
  }

  tensor(name: string, shape: readonly number[], type: Tensor['type'] = 'f32'): Tensor {
    if (shape.some((extent) => !Number.isSafeInteger(extent) || extent < 1)) {
      throw new PotluckError('SHAPE', `tensor ${name}: extents must be whole and at least 1, got [${shape.join(', ')}]`)
    }
    const tensor: Tensor = { id: this.#tensors.length, name: this.#scope + name, type, shape: [...shape], view: null }
    this.#tensors.push(tensor)
    return tensor
  }

  /** The elements of `base` from `offset` on, as a tensor of its own shape. */
  view(name: string, base: Tensor, offset: number, shape: readonly number[]): Tensor {
    const plain = this.tensor(name, shape, base.type)
    if (base.view || offset < 0 || offset + sizeOf(plain) > sizeOf(base)) {
      this.#refuse('view', name, [base, plain], `offset ${offset} must leave the view inside a tensor that is no view`)
    }
    const tensor: Tensor = { ...plain, view: { base: base.id, offset } }
    this.#tensors[plain.id] = tensor
    return tensor
  }

  /** y[r, c] = f(operands at (r, c)), elements in any order. */
  map(
    label: string,
    scalar: ScalarProgram,
    rows: number,
    columns: number,
    operands: readonly OperandOf[],
    shape: readonly number[],
  ): Tensor {
    const output = this.tensor(label, shape)
    this.mapInto(label, scalar, rows, columns, operands, [output])
    return output
  }

  /** A map whose outputs, one for each of the scalar program, are tensors made before: views, for one. */
  mapInto(
    label: string,
    scalar: ScalarProgram,
    rows: number,
    columns: number,
    operands: readonly OperandOf[],
    outputs: readonly Tensor[],
  ): void {
    this.#checkOperands('map', label, scalar, rows, columns, operands)
    const count = scalar.outputs.length
    if (outputs.length !== count || outputs.some((output) => sizeOf(output) !== rows * columns)) {
      this.#refuse('map', label, outputs, `expected ${count} outputs of ${rows}×${columns}`)
    }
    this.#push(label, {
      kind: 'map',
      scalar,
      rows,
      columns,
      operands: operands.map(withIds),
      outputs: outputs.map((output) => output.id),
    })
  }

  /** Σ or maximum of f over rows or columns; see `ReduceOperation`. */
  reduce(
    kind: ReduceOperation['kind'],
    label: string,
    scalar: ScalarProgram,
    rows: number,
    columns: number,
    operands: readonly OperandOf[],
    shape?: readonly number[],
  ): Tensor {
    this.#checkOperands(kind, label, scalar, rows, columns, operands)
    const length = kind === 'columnSum' ? columns : rows
    const output = this.tensor(label, shape ?? [length])
    if (scalar.outputs.length !== 1 || sizeOf(output) !== length) {
      this.#refuse(kind, label, [output], `expected one output of ${length} elements`)
    }
    this.#push(label, { kind, scalar, rows, columns, operands: operands.map(withIds), outputs: [output.id] })
    return output
  }

  matmul(label: string, form: MatmulForm, a: Tensor, b: Tensor, shape: readonly number[]): Tensor {
    const output = this.tensor(label, shape)
    const { groups, subgroups, M, N, K } = form
    const reach = (s: Strides, rows: number, columns: number): number =>
      (groups - 1) * s.group + (subgroups - 1) * s.subgroup + (rows - 1) * s.row + (columns - 1) * s.column
    const fits =
      a.type === 'f32' &&
      b.type === 'f32' &&
      [groups, subgroups, M, N, K].every((extent) => Number.isSafeInteger(extent) && extent > 0) &&
      groups * subgroups * M * K === sizeOf(a) &&
      reach(form.a, M, K) === sizeOf(a) - 1 &&
      groups * subgroups * K * N === sizeOf(b) &&
      reach(form.b, K, N) === sizeOf(b) - 1 &&
      groups * subgroups * M * N === sizeOf(output) &&
      reach(form.c, M, N) === sizeOf(output) - 1
    if (!fits)
      this.#refuse('matmul', label, [a, b, output], `as ${groups}×${subgroups} products of ${M}×${K} and ${K}×${N}`)
    this.#push(label, { kind: 'matmul', ...form, inputs: [a.id, b.id], outputs: [output.id] })
    return output
  }

  /** y[r, :] = table[index[r], :]. */
  gatherRows(label: string, table: Tensor, index: Tensor): Tensor {
    const [tableRows = 0, columns = 0] = table.shape
    if (table.shape.length !== 2 || index.type !== 'i32')
      this.#refuse('gatherRows', label, [table, index], 'expected [V, C] and i32')
    const rows = sizeOf(index)
    const output = this.tensor(label, [rows, columns])
    this.#push(label, {
      kind: 'gatherRows',
      tableRows,
      rows,
      columns,
      inputs: [table.id, index.id],
      outputs: [output.id],
    })
    return output
  }

  /** y[v, :] = the sum of the rows r of `x` with index[r] = v, r ascending from +0 (E-12). */
  scatterAddRows(label: string, x: Tensor, index: Tensor, tableRows: number): Tensor {
    const rows = sizeOf(index)
    const columns = sizeOf(x) / rows
    if (!Number.isInteger(columns) || index.type !== 'i32')
      this.#refuse('scatterAddRows', label, [x, index], 'expected [R, C] and i32 [R]')
    const output = this.tensor(label, [tableRows, columns])
    this.#push(label, {
      kind: 'scatterAddRows',
      tableRows,
      rows,
      columns,
      inputs: [x.id, index.id],
      outputs: [output.id],
    })
    return output
  }

  finish(): Program {
    return {
      tensors: this.#tensors,
      operations: this.#operations,
      inputs: this.#inputs,
      outputs: this.#outputs,
      carries: this.#carries,
    }
  }

  #push(label: string, operation: OmitLabel<Operation>): void {
    this.#operations.push({ ...operation, label: this.#scope + label })
  }

  #checkOperands(
    kind: string,
    label: string,
    scalar: ScalarProgram,
    rows: number,
    columns: number,
    operands: readonly OperandOf[],
  ): void {
    const tensors = operands.flatMap((operand) => ('tensor' in operand ? [operand.tensor] : []))
    const types = operands.map((operand) => ('tensor' in operand ? operand.tensor.type : 'i32'))
    if (types.join() !== scalar.inputs.join()) {
      this.#refuse(
        kind,
        label,
        tensors,
        `${scalar.name} takes (${scalar.inputs.join(', ')}), got (${types.join(', ')})`,
      )
    }
    for (const operand of operands) {
      if (operand.from === 'columnIndex') continue
      if (operand.from === 'rowIndex') {
        if (!(operand.modulo > 0)) this.#refuse(kind, label, tensors, `row index modulo ${operand.modulo}`)
        continue
      }
      const size = sizeOf(operand.tensor)
      const fits = { full: size === rows * columns, row: rows % size === 0, column: size === columns }[operand.from]
      if (!fits) this.#refuse(kind, label, [operand.tensor], `as ${operand.from} operand of ${rows}×${columns}`)
    }
  }

  #refuse(operator: string, label: string, tensors: readonly Tensor[], why: string): never {
    const shapes = tensors.map((tensor) => `${tensor.name} ${tensor.type}[${tensor.shape.join(', ')}]`).join(', ')
    throw new PotluckError('SHAPE', `${operator} ${this.#scope}${label}: ${shapes}: ${why}`, { operator, shapes })
  }
}

type OmitLabel<T> = T extends unknown ? Omit<T, 'label'> : never

const withIds = (operand: OperandOf): Operand =>
  'tensor' in operand ? { from: operand.from, tensor: operand.tensor.id } : operand
