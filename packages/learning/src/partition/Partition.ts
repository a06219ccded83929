/** How rows are divided among clients. */
export type Partition =
  /** At random, equally many each, up to one. */
  | { readonly kind: 'iid' }
  /** Each class in parts drawn from a symmetric Dirichlet distribution: the smaller `alpha`, the more a class gathers at few clients. */
  | { readonly kind: 'dirichlet'; readonly alpha: number }
  /** Each client has rows of `labels` classes only. */
  | { readonly kind: 'labels'; readonly labels: number }
  /** As the data came: the value of this column names the client. */
  | { readonly kind: 'column'; readonly column: string }

/** A partition as people write it; `parsePartition` reads it back. */
export function partitionText(how: Partition): string {
  switch (how.kind) {
    case 'iid':
      return 'iid'
    case 'dirichlet':
      return `dirichlet:${how.alpha}`
    case 'labels':
      return `labels:${how.labels}`
    case 'column':
      return `by-column:${how.column}`
  }
}
