import { PotluckError } from '@potluck/protocol'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { faultOfOperation } from './faultOfOperation.ts'
import {
  type MatmulOperation,
  type Operand,
  type Operation,
  type Program,
  type ReduceOperation,
  type Strides,
  sizeOf,
  type Tensor,
  tensorsRead,
  type WindowForm,
  windowCount,
} from './Program.ts'

/** How a map names its operands while the program is written. */
export type OperandOf =
  | { from: 'full' | 'swapped' | 'row' | 'column'; tensor: Tensor }
  | { from: 'rowIndex'; modulo: number }
  | { from: 'columnIndex' }

export const full = (tensor: Tensor): OperandOf => ({ from: 'full', tensor })
export const swapped = (tensor: Tensor): OperandOf => ({ from: 'swapped', tensor })
export const row = (tensor: Tensor): OperandOf => ({ from: 'row', tensor })
export const column = (tensor: Tensor): OperandOf => ({ from: 'column', tensor })
export const rowIndex = (modulo: number): OperandOf => ({ from: 'rowIndex', modulo })
export const columnIndex: OperandOf = { from: 'columnIndex' }

export type MatmulForm = Pick<MatmulOperation, 'groups' | 'subgroups' | 'M' | 'N' | 'K' | 'a' | 'b' | 'c'>

/**
 * Writes a program operation by operation and checks every shape as it goes.
 * Errors: SHAPE, and BAD_PROGRAM for a scalar program, name the operator, the operation's label and the shapes seen.
 */
export class ProgramBuilder {
  readonly #tensors: Tensor[] = []
  readonly #operations: Operation[] = []
  readonly #inputs: Record<string, number> = {}
  readonly #outputs: Record<string, number> = {}
  readonly #carries: { from: number; to: number }[] = []
  #scope = ''
  #ending = ''

  /** What labels written now begin with. */
  get scope(): string {
    return this.#scope
  }

  get operationCount(): number {
    return this.#operations.length
  }

  /** Labels and tensor names written inside `body` begin with `name.`. */
  within<T>(name: string, body: () => T): T {
    return this.inScope(`${this.#scope}${name}.`, body)
  }

  /** Like `within`, with a scope as `scope` once gave it in place of the present one. */
  inScope<T>(scope: string, body: () => T): T {
    const outer = this.#scope
    this.#scope = scope
    try {
      return body()
    } finally {
      this.#scope = outer
    }
  }

  /** Labels and tensor names written inside `body` end with `.again`. */
  again<T>(body: () => T): T {
    const outer = this.#ending
    this.#ending = `${outer}.again`
    try {
      return body()
    } finally {
      this.#ending = outer
    }
  }

  /** Takes back the operations from number `start` on whose results nothing reads, `kept` and what leads to it apart. */
  dropUnread(start: number, kept: readonly Tensor[]): void {
    const baseOf = (id: number): number => this.#tensors[id]!.view?.base ?? id
    const read = new Set([...kept.map(({ id }) => id), ...Object.values(this.#outputs)].map(baseOf))
    for (const { from } of this.#carries) read.add(baseOf(from))
    const live: Operation[] = []
    for (const operation of this.#operations.splice(start).reverse()) {
      if (!operation.outputs.some((id) => read.has(baseOf(id)))) continue
      live.push(operation)
      for (const id of tensorsRead(operation)) read.add(baseOf(id))
    }
    this.#operations.push(...live.reverse())
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
    const tensor: Tensor = { id: this.#tensors.length, name: this.#named(name), type, shape: [...shape], view: null }
    this.#tensors.push(tensor)
    return tensor
  }

  /** The elements of `base`, itself a view perhaps, from `offset` on, as a tensor of its own shape. */
  view(name: string, base: Tensor, offset: number, shape: readonly number[]): Tensor {
    const plain = this.tensor(name, shape, base.type)
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + sizeOf(plain) > sizeOf(base)) {
      this.#refuse('view', name, [base, plain], `offset ${offset} must leave the view inside`)
    }
    const under = base.view ?? { base: base.id, offset: 0 }
    const tensor: Tensor = { ...plain, view: { base: under.base, offset: under.offset + offset } }
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
    const output = this.tensor(label, shape ?? [kind === 'columnSum' ? columns : rows])
    this.#push(label, { kind, scalar, rows, columns, operands: operands.map(withIds), outputs: [output.id] })
    return output
  }

  matmul(label: string, form: MatmulForm, a: Tensor, b: Tensor, shape: readonly number[]): Tensor {
    const output = this.tensor(label, shape)
    const { groups, subgroups, M, N, K } = form
    const reach = (s: Strides, rows: number, columns: number): number =>
      (groups - 1) * s.group + (subgroups - 1) * s.subgroup + (rows - 1) * s.row + (columns - 1) * s.column
    const isWhole = reach(form.a, M, K) === sizeOf(a) - 1 && reach(form.b, K, N) === sizeOf(b) - 1
    if (!isWhole) {
      this.#refuse('matmul', label, [a, b, output], `as ${groups}×${subgroups} products of ${M}×${K} and ${K}×${N}`)
    }
    this.#push(label, { kind: 'matmul', ...form, inputs: [a.id, b.id], outputs: [output.id] })
    return output
  }

  /** y[r, :] = table[index[r], :]. */
  gatherRows(label: string, table: Tensor, index: Tensor): Tensor {
    const [tableRows = 0, columns = 0] = table.shape
    if (table.shape.length !== 2) this.#refuse('gatherRows', label, [table, index], 'expected [V, C] and i32 [R]')
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
    if (!Number.isInteger(columns)) this.#refuse('scatterAddRows', label, [x, index], 'expected [R, C] and i32 [R]')
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

  /** Windows of x[N, H, W, C] as [N, OH, OW, C, i, j]; see `WindowOperation`. */
  window(label: string, form: WindowForm, x: Tensor): Tensor {
    return this.#windows('window', label, form, x)
  }

  /** The transpose of `window`: [N, OH, OW, C, i, j] summed into [N, H, W, C]. */
  windowSum(label: string, form: WindowForm, patches: Tensor): Tensor {
    return this.#windows('windowSum', label, form, patches)
  }

  #windows(kind: 'window' | 'windowSum', label: string, form: WindowForm, input: Tensor): Tensor {
    const { images, height, width, channels, kernelHeight, kernelWidth } = form
    const [outHeight, outWidth] = [windowCount(height, kernelHeight, form), windowCount(width, kernelWidth, form)]
    const image = [images, height, width, channels]
    const patches = [images, outHeight, outWidth, channels, kernelHeight, kernelWidth]
    const to = kind === 'window' ? patches : image
    if (![...image, ...patches].every((extent) => extent > 0)) {
      this.#refuse(kind, label, [input], `windows ${JSON.stringify(form)}`)
    }
    const output = this.tensor(label, to)
    this.#push(label, { kind, form, inputs: [input.id], outputs: [output.id] })
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
    const named: Operation = { ...operation, label: this.#named(label) }
    const fault = faultOfOperation(named, (id) => this.#tensors[id]!)
    if (fault) {
      const tensors = [...tensorsRead(named), ...named.outputs].map((id) => this.#tensors[id]!)
      this.#refuse(named.kind, label, tensors, fault.why, fault.code)
    }
    this.#operations.push(named)
  }

  #named(name: string): string {
    return this.#scope + name + this.#ending
  }

  #refuse(operator: string, label: string, tensors: readonly Tensor[], why: string, code = 'SHAPE'): never {
    const shapes = tensors.map((tensor) => `${tensor.name} ${tensor.type}[${tensor.shape.join(', ')}]`).join(', ')
    throw new PotluckError(code, `${operator} ${this.#named(label)}: ${shapes}: ${why}`, { operator, shapes })
  }
}

type OmitLabel<T> = T extends unknown ? Omit<T, 'label'> : never

const withIds = (operand: OperandOf): Operand =>
  'tensor' in operand ? { from: operand.from, tensor: operand.tensor.id } : operand
