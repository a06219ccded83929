/** The trees of spec/contracts.md, written a second time: what these build, the contracts must accept. */
import { type Address, concatHex, encodePacked, type Hex, keccak256 } from 'viem'

export type SumLeaf = { account: Address; weight: bigint }
type SumNode = { hash: Hex; sum: bigint }

function sumNode(a: SumNode, b: SumNode): SumNode {
  const [low, high] = BigInt(a.hash) < BigInt(b.hash) ? [a, b] : [b, a]
  const hash = keccak256(
    encodePacked(
      ['bytes1', 'bytes32', 'uint128', 'bytes32', 'uint128'],
      ['0x01', low.hash, low.sum, high.hash, high.sum],
    ),
  )
  return { hash, sum: a.sum + b.sum }
}

/** Rows of a tree from the leaves up; a row of odd length carries its last node up unchanged. */
function rowsOf<T>(leaves: T[], join: (left: T, right: T) => T): T[][] {
  const rows = [leaves]
  for (let row = leaves; row.length > 1; ) {
    const next: T[] = []
    for (let i = 0; i < row.length; i += 2) {
      const right = row[i + 1]
      next.push(right === undefined ? (row[i] as T) : join(row[i] as T, right))
    }
    rows.push(next)
    row = next
  }
  return rows
}

function proofIn<T>(rows: T[][], index: number): T[] {
  return rows.slice(0, -1).flatMap((row, level) => {
    const sibling = row[(index >> level) ^ 1]
    return sibling === undefined ? [] : [sibling]
  })
}

export function sumTree(leaves: SumLeaf[]) {
  const nodes = leaves.map(({ account, weight }, i) => ({
    hash: keccak256(encodePacked(['bytes1', 'uint64', 'address', 'uint128'], ['0x00', BigInt(i), account, weight])),
    sum: weight,
  }))
  const rows = rowsOf<SumNode>(nodes, sumNode)
  const top = rows.at(-1)?.[0] as SumNode
  return { root: top.hash, total: top.sum, proof: (index: number) => proofIn(rows, index) }
}

export function setTree(leaves: Hex[]) {
  const rows = rowsOf(leaves, (left, right) => keccak256(concatHex(['0x01', left, right])))
  return { root: rows.at(-1)?.[0] as Hex, proof: (index: number) => proofIn(rows, index) }
}
