import { PotluckError } from '@potluck/protocol'

/**
 * Logits as numbers for a student to predict: each row less its mean, which no softmax sees and no student should spend anything on.
 * Sums are f64, from the left. Source: logit matching, arXiv:1312.6184.
 *
 * @param logits [N, classes]
 * @throws PotluckError BAD_TEACHER where a logit is no finite number
 */
export function softTargets(logits: Float32Array, classes: number): Float32Array {
  const targets = new Float32Array(logits.length)
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes)
    const mean = row.reduce((sum, value) => sum + value, 0) / classes
    if (!Number.isFinite(mean)) {
      const message = `the teacher says ${[...row].join(' ')} of row ${from / classes}: train it anew, at a lower rate`
      throw new PotluckError('BAD_TEACHER', message, { row: from / classes })
    }
    for (let c = 0; c < classes; c++) targets[from + c] = row[c]! - mean
  }
  return targets
}
