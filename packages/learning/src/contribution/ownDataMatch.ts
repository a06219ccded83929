import { PotluckError } from '@potluck/protocol'

/**
 * How well each update of a round fits the batches that its own worker had to train on, beside the batches of the others (L-66).
 *
 * Training on a batch lowers the loss on just those rows more than on others. From the matrix m[i][k] = ⟨u_i / |u_i|, gradient on batches of k⟩
 * the effects of rows (a good update fits everything) and of columns (an easy batch is fitted by all) are taken away, both estimated
 * without the diagonal, as in a round robin. The match of i is what is left on the diagonal, over the root mean square of the rest of its row:
 * about 0 for who did not train on its own batches, whatever was sent instead, and around 3 for who did when a quarter of the rows are looked at.
 *
 * @param products m, a row for each update, in the order of the batches
 * @returns one number for each member; 0 for all where fewer than four take part, which are too few to compare
 * @throws PotluckError SHAPE unless the matrix is square and finite
 *
 * Source of the idea, with losses and one random batch in place of the others': Gauntlet, arXiv:2505.21684. Of the estimates: the
 * social relations model, Warner, Kenny and Stoto, 1979.
 */
export function ownDataMatch(products: readonly (readonly number[])[]): number[] {
  const n = products.length
  if (products.some((row) => row.length !== n || !row.every(Number.isFinite))) {
    throw new PotluckError('SHAPE', `products are ${n} rows of ${n} finite numbers: one for each update and each batch`)
  }
  if (n < 4) return products.map(() => 0)
  const ofRow = products.map((row, i) => (sum(row) - row[i]!) / (n - 1))
  const ofColumn = products.map((row, k) => (sum(products.map((other) => other[k]!)) - row[k]!) / (n - 1))
  const mean = sum(ofRow) / n
  const effect = (own: number, other: number): number =>
    ((n - 1) * ((n - 1) * own + other)) / (n * (n - 2)) - ((n - 1) * mean) / (n - 2)
  const rows = ofRow.map((own, i) => effect(own, ofColumn[i]!))
  const columns = ofColumn.map((own, k) => effect(own, ofRow[k]!))
  return products.map((row, i) => {
    const left = row.map((x, k) => x - mean - rows[i]! - columns[k]!)
    const deviation = Math.sqrt(sum(left.map((x, k) => (k === i ? 0 : x * x))) / (n - 1))
    const largest = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    // Where rounding alone is left there is nothing to compare with.
    return deviation > 1e-12 * largest ? left[i]! / deviation : 0
  })
}

/** Rounds before a worker is judged, and what its matches must come to: their sum over the root of their number. */
const [LEAST_ROUNDS, LEAST_EVIDENCE] = [4, 3]

/**
 * Whether matches over several rounds show that a worker trained on its own batches; undefined while there are too few. By luck alone
 * the evidence has mean 0 and deviation about 1.
 */
export function trainsOnOwnData(matches: readonly number[]): boolean | undefined {
  if (matches.length < LEAST_ROUNDS) return undefined
  return sum(matches) / Math.sqrt(matches.length) >= LEAST_EVIDENCE
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
