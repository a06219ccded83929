import { compareBytes, concatBytes, fromHex, type Hex, toHex, uint64 } from '../bytes.ts'
import { abiWord, keccak256 } from '../keccak.ts'
import { PotluckError } from '../PotluckError.ts'

export type SumLeaf = { account: Hex; amount: bigint }
export type SumSibling = { hash: Hex; sum: bigint }
export type SumTree = { root: Hex; total: bigint; proof: (index: number) => SumSibling[] }

type Node = { hash: Uint8Array; sum: bigint }

const LEAF_TAG = Uint8Array.of(0)
const NODE_TAG = Uint8Array.of(1)
const LIMIT = 1n << 128n

const uint128 = (value: bigint): Uint8Array => abiWord(value).subarray(16)

/**
 * The Merkle tree that adds up, for payouts and contributors: leaf i says that `account` has `amount` (C-04).
 *
 * Every node commits to the sums of its two children, so nothing beyond `total` can be proven. A pair is ordered by hash.
 * Without leaves the root is 32 zero bytes and the total 0. Throws SUM_TOO_LARGE beyond 2^128 - 1, BAD_INDEX from `proof`.
 */
export function sumTree(leaves: SumLeaf[]): SumTree {
  const rows: Node[][] = [leaves.map(leafNode)]
  for (let row = rows[0] as Node[]; row.length > 1; rows.push(row)) row = parentRow(row)
  const top = rows.at(-1)?.[0]
  const total = top?.sum ?? 0n
  if (total >= LIMIT) throw new PotluckError('SUM_TOO_LARGE', `amounts add up to ${total}; the limit is 2^128 - 1`)
  return {
    root: toHex(top?.hash ?? new Uint8Array(32)),
    total,
    proof(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length) {
        throw new PotluckError('BAD_INDEX', `expected an index below ${leaves.length}, got ${index}`)
      }
      const siblings = rows.map((row, level) => row[(index >> level) ^ 1])
      return siblings.filter((node) => node !== undefined).map(({ hash, sum }) => ({ hash: toHex(hash), sum }))
    },
  }
}

function leafNode({ account, amount }: SumLeaf, index: number): Node {
  if (amount < 0n || amount >= LIMIT) {
    throw new PotluckError('SUM_TOO_LARGE', `expected an amount from 0 to 2^128 - 1, got ${amount}`, { index })
  }
  return { hash: keccak256(LEAF_TAG, uint64(index), fromHex(account), uint128(amount)), sum: amount }
}

function parentRow(row: Node[]): Node[] {
  const parents: Node[] = []
  for (let i = 0; i < row.length; i += 2) {
    const [left, right] = [row[i] as Node, row[i + 1]]
    parents.push(right ? parentOf(left, right) : left)
  }
  return parents
}

function parentOf(a: Node, b: Node): Node {
  const sum = a.sum + b.sum
  if (sum >= LIMIT) throw new PotluckError('SUM_TOO_LARGE', `amounts add up to ${sum}; the limit is 2^128 - 1`)
  const [low, high] = compareBytes(a.hash, b.hash) < 0 ? [a, b] : [b, a]
  return { hash: keccak256(concatBytes(NODE_TAG, low.hash, uint128(low.sum), high.hash, uint128(high.sum))), sum }
}
