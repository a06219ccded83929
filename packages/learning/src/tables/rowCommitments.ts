import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { concatBytes, merkleRoot, PotluckError, sha256, uint64, utf8 } from '@potluck/protocol'
import type { TableRow } from './tableRow.ts'

/** A row as bytes: count of inputs (u64), inputs (f64, big-endian), label (one byte). The line number is not part of it. */
export function rowBytes(row: TableRow): Uint8Array {
  const values = new Uint8Array(8 * row.inputs.length)
  const view = new DataView(values.buffer)
  // -0 and 0 are one value to the model and must be one commitment.
  row.inputs.forEach((x, j) => {
    view.setFloat64(8 * j, x === 0 ? 0 : x)
  })
  return concatBytes(uint64(row.inputs.length), values, Uint8Array.of(row.label))
}

/** One secret salt a row, 32 bytes each, from one secret: the owner keeps only that. */
export function rowSalts(secret: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    hmac(nobleSha256, secret, concatBytes(utf8('potluck/row-salt/1'), uint64(i))),
  )
}

/**
 * The commitment to a private table: per row `sha256(salt, row bytes)`, and the Merkle root over these in row order.
 *
 * Without the salts it says nothing about rows, however few values they can take; with one salt a single row can be opened (L-18).
 *
 * @throws PotluckError BAD_SALTS when there is not exactly one salt of at least 16 bytes a row, or a salt occurs twice
 */
export function rowCommitments(
  rows: readonly TableRow[],
  salts: readonly Uint8Array[],
): { leaves: Uint8Array[]; root: Uint8Array } {
  const distinct = new Set(salts.map((salt) => salt.join()))
  if (salts.length !== rows.length || distinct.size !== salts.length || salts.some((salt) => salt.length < 16)) {
    throw new PotluckError(
      'BAD_SALTS',
      `expected ${rows.length} different salts of at least 16 bytes, got ${salts.length}, ${distinct.size} of them different: draw one salt for each row`,
      { rows: rows.length, salts: salts.length },
    )
  }
  const leaves = rows.map((row, i) => sha256(salts[i] as Uint8Array, rowBytes(row)))
  return { leaves, root: merkleRoot(leaves) }
}
