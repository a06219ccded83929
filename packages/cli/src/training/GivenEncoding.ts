import type { TableEncoding } from './table/encodeRows.ts'

/** How rows become inputs, where that is not fitted to the data but given: by the teacher that shall read the same rows. */
export type GivenEncoding =
  | { readonly data: 'table'; readonly table: TableEncoding }
  | { readonly data: 'images'; readonly mean: number; readonly deviation: number; readonly classes: number }
