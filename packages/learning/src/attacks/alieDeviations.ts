import { exactExp64 } from '@potluck/engine'

/**
 * By how many deviations ALIE lies: the largest z at which enough honest members are still further out than the attackers, so that a median
 * sides with them (arXiv:1902.06156).
 *
 *   s = ⌊n/2 + 1⌋ − f        z = Φ⁻¹((n − f − s) / (n − f))
 *
 * 0 where the attackers need nobody's support or nobody is left.
 */
export function alieDeviations(members: number, attackers: number): number {
  const honest = members - attackers
  const supporters = Math.floor(members / 2 + 1) - attackers
  const share = (honest - supporters) / honest
  if (!(share > 0.5)) return 0
  let [low, high] = [0, 8]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (normalBelow(middle) < Math.min(share, 0.999999)) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Φ(z) for 0 ≤ z ≤ 8: ½ + φ(z) · (z + z³/3 + z⁵/(3·5) + …), whose terms are all positive, so none cancel. */
export function normalBelow(z: number): number {
  let [term, sum] = [z, z]
  for (let k = 3; k < 400; k += 2) {
    term *= (z * z) / k
    sum += term
  }
  // 1/√(2π)
  return 0.5 + 0.3989422804014327 * exactExp64((-z * z) / 2) * sum
}
