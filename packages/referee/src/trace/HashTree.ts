import { ABSENT, hashLeaf, hashNode, LEAF_BYTES, treeDepth } from '@potluck/protocol'

/** A perfect tree (P-01) whose nodes can be asked for one by one; level 0 is its lowest row. */
export type HashTree = {
  readonly levels: number
  /** The node at a place, or 32 zero bytes where the tree has none. */
  node(level: number, index: number): Uint8Array
}

/** The tree over nodes, every row computed at once. */
export function treeOfNodes(nodes: readonly Uint8Array[]): HashTree {
  const rows: (readonly Uint8Array[])[] = [nodes]
  for (let row = nodes; row.length > 1; rows.push(row)) {
    const parents: Uint8Array[] = []
    for (let i = 0; i < row.length; i += 2) parents.push(hashNode(row[i] as Uint8Array, row[i + 1] ?? ABSENT))
    row = parents
  }
  return { levels: treeDepth(nodes.length), node: (level, index) => rows[level]?.[index] ?? ABSENT }
}

/** The tree over bytes in leaves of 1 KiB (D-01). */
export function treeOfBytes(bytes: Uint8Array): HashTree {
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) hashes.push(hashLeaf(bytes.subarray(at, at + LEAF_BYTES)))
  return treeOfNodes(hashes)
}

/**
 * The tree over a row that was revealed, as high as the row is, even where the nodes at its end are left out. Two absent
 * nodes have an absent parent, so that a state's row can hold them.
 */
export function treeOfRow(row: readonly Uint8Array[], levels: number): HashTree {
  const rows: (readonly Uint8Array[])[] = [row]
  for (let level = 0; level < levels; level++) {
    const below = rows[level] as readonly Uint8Array[]
    rows.push(
      Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => {
        const [left, right] = [below[2 * i] as Uint8Array, below[2 * i + 1] ?? ABSENT]
        return isAbsent(left) && isAbsent(right) ? ABSENT : hashNode(left, right)
      }),
    )
  }
  return { levels, node: (level, index) => rows[level]?.[index] ?? ABSENT }
}

/** The tree whose nodes are the roots of trees, each raised to the height of the tallest by absent nodes (D-02). */
export function treeOfTrees(trees: readonly HashTree[]): HashTree {
  const tallest = Math.max(...trees.map(({ levels }) => levels))
  const raised = trees.map((tree) => raisedTree(tree, tallest))
  const top = treeOfNodes(raised.map(rootOf))
  return {
    levels: tallest + top.levels,
    node(level, index) {
      if (level >= tallest) return top.node(level - tallest, index)
      const width = 2 ** (tallest - level)
      return raised[Math.floor(index / width)]?.node(level, index % width) ?? ABSENT
    },
  }
}

function raisedTree(tree: HashTree, levels: number): HashTree {
  const top = [rootOf(tree)]
  for (let level = tree.levels; level < levels; level++) top.push(hashNode(top.at(-1) as Uint8Array, ABSENT))
  return {
    levels,
    node: (level, index) =>
      level < tree.levels ? tree.node(level, index) : index === 0 ? (top[level - tree.levels] as Uint8Array) : ABSENT,
  }
}

export const rootOf = (tree: HashTree): Uint8Array => tree.node(tree.levels, 0)

/** Siblings from a node of level `from` up to level `to`. */
export function pathOf(tree: HashTree, from: number, to: number, index: number): Uint8Array[] {
  const path: Uint8Array[] = []
  for (let [level, at] = [from, index]; level < to; level++, at = Math.floor(at / 2))
    path.push(tree.node(level, at % 2 === 0 ? at + 1 : at - 1))
  return path
}

/** Levels of a row of a tree with so many levels left: six, or what remains in the first row (D-13). */
export const rowLevels = (levels: number): number => (levels === 0 ? 0 : ((levels - 1) % 6) + 1)

/**
 * The row `levels` below the node at (level, index).
 *
 * @param isWhole with absent nodes at its end, as in a state; else without
 */
export function rowUnder(tree: HashTree, level: number, index: number, levels: number, isWhole: boolean): Uint8Array[] {
  const width = 2 ** levels
  const row = Array.from({ length: width }, (_, i) => tree.node(level - levels, index * width + i))
  while (!isWhole && row.length > 1 && isAbsent(row.at(-1) as Uint8Array)) row.pop()
  return row
}

export const isAbsent = (node: Uint8Array): boolean => node.every((byte) => byte === 0)
