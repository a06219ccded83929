import { exactExp64, exactLog64 } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { checkEpsilon } from './PrivacyStep.ts'

/**
 * The least ε for which `queries` answers, of each of which nothing is known but that it is (ε, δ)-private, are together
 * (ε', totalDelta)-private, out of ε' = queries·ε, (queries − 2)·ε, …
 *
 *   δ'_i = 1 − (1−δ)^k (1 − δ_i),  δ_i = Σ_{l<i} C(k,l) (e^((k−l)ε) − e^((k−2i+l)ε)) / (1 + e^ε)^k
 *
 * For answers whose noise is known the accountants of this folder are tighter.
 *
 * @throws PotluckError BAD_PRIVACY when the numbers are none; DELTA_TOO_SMALL when `totalDelta` is below 1 − (1 − δ)^queries
 *
 * Source: Kairouz, Oh, Viswanath, arXiv:1311.0776, theorem 3.3.
 */
export function composePromises(
  { epsilon, delta }: { readonly epsilon: number; readonly delta: number },
  queries: number,
  totalDelta: number,
): number {
  checkEpsilon(epsilon)
  if (!Number.isSafeInteger(queries) || queries < 1 || !(delta >= 0 && delta < 1)) {
    throw new PotluckError(
      'BAD_PRIVACY',
      `expected at least one query and a delta from 0 to 1, got ${queries}, ${delta}`,
    )
  }
  const logKept = queries * exactLog64(1 - delta)
  const spent = 1 - exactExp64(logKept)
  if (!(totalDelta >= spent && totalDelta < 1)) {
    throw new PotluckError(
      'DELTA_TOO_SMALL',
      `${queries} answers with δ = ${delta} each use ${spent}; got a total of ${totalDelta}`,
      { totalDelta, spent },
    )
  }
  const logWhole = queries * exactLog64(1 + exactExp64(epsilon))
  for (let i = Math.floor(queries / 2); i > 0; i--) {
    let failing = 0
    let logBinomial = 0
    for (let l = 0; l < i; l++) {
      const [high, low] = [(queries - l) * epsilon, (queries - 2 * i + l) * epsilon]
      failing += exactExp64(logBinomial + high - logWhole) - exactExp64(logBinomial + low - logWhole)
      logBinomial += exactLog64((queries - l) / (l + 1))
    }
    if (1 - exactExp64(logKept) * (1 - failing) <= totalDelta) return (queries - 2 * i) * epsilon
  }
  return queries * epsilon
}

/** The scale of Laplace noise with which `queries` sums, each moved by at most `sensitivity` in the 1-norm, stay within ε; δ = 0. */
export function laplaceScale(sensitivity: number, epsilon: number, queries: number): number {
  checkEpsilon(epsilon)
  return (sensitivity * queries) / epsilon
}
