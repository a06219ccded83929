/**
 * A program is a static list of operations over typed tensors: what one training step, one loss evaluation or one
 * forward pass computes. It says nothing about how: every executor must give the same bits for it (E-02).
 *
 * All tensors are row-major and dense. An operation writes whole tensors, each written once; `carries` says which
 * outputs become inputs of the next run.
 */
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'

export type Tensor = {
  /** Position in `Program.tensors`. */
  readonly id: number
  readonly name: string
  readonly type: 'f32' | 'i32'
  readonly shape: readonly number[]
  /** A view shares the elements of `base` from `offset` on; it is written or read like any tensor. */
  readonly view: { readonly base: number; readonly offset: number } | null
}

/**
 * Where element (r, c) of an R by C operation takes an operand from:
 * `full` element (r, c); `swapped` element (r, c xor 1), C even; `row` element r mod n; `column` element c; `rowIndex` the
 * integer r mod n; `columnIndex` c.
 */
export type Operand =
  | { readonly from: 'full' | 'swapped' | 'row' | 'column'; readonly tensor: number }
  | { readonly from: 'rowIndex'; readonly modulo: number }
  | { readonly from: 'columnIndex' }

/** Index map of a matrix operand: element (r, c) of group (g, h) is at g·group + h·subgroup + r·row + c·column. */
export type Strides = {
  readonly group: number
  readonly subgroup: number
  readonly row: number
  readonly column: number
}

export type MapOperation = {
  readonly kind: 'map'
  readonly scalar: ScalarProgram
  readonly rows: number
  readonly columns: number
  readonly operands: readonly Operand[]
  readonly outputs: readonly number[]
}

/** `columnSum`: outputs[0][c] = Σ_r f(r, c). `rowSum`, `rowMaximum`: outputs[0][r] over c. */
export type ReduceOperation = {
  readonly kind: 'columnSum' | 'rowSum' | 'rowMaximum'
  readonly scalar: ScalarProgram
  readonly rows: number
  readonly columns: number
  readonly operands: readonly Operand[]
  readonly outputs: readonly [number]
}

/** For every group: c[m, n] = Σ_k a[m, k]·b[k, n]. */
export type MatmulOperation = {
  readonly kind: 'matmul'
  readonly groups: number
  readonly subgroups: number
  readonly M: number
  readonly N: number
  readonly K: number
  readonly a: Strides
  readonly b: Strides
  readonly c: Strides
  readonly inputs: readonly [a: number, b: number]
  readonly outputs: readonly [number]
}

/** `gatherRows`: y[r, :] = x[index[r], :]. `scatterAddRows`: y[v, :] = Σ_{r: index[r] = v} x[r, :], r ascending. */
export type RowsOperation = {
  readonly kind: 'gatherRows' | 'scatterAddRows'
  /** Rows of the indexed side: of `x` for a gather, of `y` for a scatter. */
  readonly tableRows: number
  readonly rows: number
  readonly columns: number
  readonly inputs: readonly [x: number, index: number]
  readonly outputs: readonly [number]
}

/**
 * Windows over images x[N, H, W, C], with OH = ⌊(H + 2·padding − kernelHeight)/stride⌋ + 1, OW likewise.
 * `window`: y[n, oh, ow, c, i, j] = x[n, oh·stride + i − padding, ow·stride + j − padding, c], +0 outside.
 * `windowSum`, its transpose: x[n, h, w, c] = Σ of the y that read it, from +0, i then j ascending.
 */
export type WindowOperation = {
  readonly kind: 'window' | 'windowSum'
  readonly form: WindowForm
  readonly inputs: readonly [number]
  readonly outputs: readonly [number]
}

export type WindowForm = {
  readonly images: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly kernelHeight: number
  readonly kernelWidth: number
  readonly stride: number
  readonly padding: number
}

export type Operation = (MapOperation | ReduceOperation | MatmulOperation | RowsOperation | WindowOperation) & {
  /** For people: `layer0.attention.scores`. Not part of the program root. */
  readonly label: string
}

export type Program = {
  readonly tensors: readonly Tensor[]
  readonly operations: readonly Operation[]
  /** Written by the caller before a run, by name. */
  readonly inputs: Readonly<Record<string, number>>
  /** Readable after a run, by name. */
  readonly outputs: Readonly<Record<string, number>>
  /** After each run tensor `from` is copied into input `to`. */
  readonly carries: readonly { readonly from: number; readonly to: number }[]
}

export const sizeOf = (tensor: Tensor): number => tensor.shape.reduce((product, extent) => product * extent, 1)

/** The tensors an operation reads, in operand order. */
export function tensorsRead(operation: Operation): number[] {
  if ('inputs' in operation) return [...operation.inputs]
  return operation.operands.flatMap((operand) => ('tensor' in operand ? [operand.tensor] : []))
}

/** How many windows of `kernel` fit along an axis of `extent`. */
export const windowCount = (
  extent: number,
  kernel: number,
  { stride, padding }: Pick<WindowForm, 'stride' | 'padding'>,
): number => Math.floor((extent + 2 * padding - kernel) / stride) + 1
