import { fromHex, type Hex, toHex } from '../bytes.ts'
import { keccak256 } from '../keccak.ts'
import { PotluckError } from '../PotluckError.ts'

export type SetTree = { root: Hex; count: number; proof: (index: number) => Hex[] }

const NODE = Uint8Array.of(1)

/**
 * The positional Keccak tree over a round's claim hashes, ordered by (share, worker) (C-05).
 *
 * A row of odd length carries its last hash up unchanged; rows where a leaf has no sibling are left out of its proof.
 * Throws EMPTY_SET without hashes, BAD_INDEX from `proof` outside the set.
 */
export function setTree(hashes: Hex[]): SetTree {
  if (hashes.length === 0) throw new PotluckError('EMPTY_SET', 'a set of claims needs at least one claim')
  const rows: Uint8Array[][] = [hashes.map(fromHex)]
  for (let row = rows[0] as Uint8Array[]; row.length > 1; rows.push(row)) row = parentRow(row)
  return {
    root: toHex((rows.at(-1) as Uint8Array[])[0] as Uint8Array),
    count: hashes.length,
    proof(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= hashes.length) {
        throw new PotluckError('BAD_INDEX', `expected an index below ${hashes.length}, got ${index}`)
      }
      const siblings = rows.map((row, level) => row[(index >> level) ^ 1])
      return siblings.filter((sibling) => sibling !== undefined).map(toHex)
    },
  }
}

function parentRow(row: Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = []
  for (let i = 0; i < row.length; i += 2) {
    const [left, right] = [row[i] as Uint8Array, row[i + 1]]
    parents.push(right ? keccak256(NODE, left, right) : left)
  }
  return parents
}
