import { ABSENT, hashNode } from '@potluck/protocol'

/** The root over leaf hashes and the proof of each, from one pass over the tree: as P-01 has them, without a pass for every leaf. */
export function merkleProofs(nodes: readonly Uint8Array[]): {
  readonly root: Uint8Array
  readonly proofs: Uint8Array[][]
} {
  const rows: (readonly Uint8Array[])[] = [nodes]
  for (let row = nodes; row.length > 1; ) {
    const next: Uint8Array[] = []
    for (let i = 0; i < row.length; i += 2) next.push(hashNode(row[i] ?? ABSENT, row[i + 1] ?? ABSENT))
    rows.push(next)
    row = next
  }
  const below = rows.slice(0, -1)
  return {
    root: rows.at(-1)?.[0] ?? ABSENT,
    proofs: nodes.map((_, index) => below.map((row, level) => row[(index >> level) ^ 1] ?? ABSENT)),
  }
}
