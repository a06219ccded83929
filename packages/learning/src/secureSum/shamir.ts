/**
 * Shamir's secret sharing over GF(2^8), byte by byte, with the field of AES (x^8 + x^4 + x^3 + x + 1).
 *
 * Four bytes of a secret lie in one 32-bit word. They are only ever multiplied by public numbers (the places of the shares), in
 * the same steps whatever they are: nothing of a secret shows in the time taken. Source: Shamir, CACM 22(11), 1979.
 */
import { PotluckError } from '@potluck/protocol'

/** What one holder has of a secret; `place` is from 1 to 255, another for each holder. */
export type Share = { readonly place: number; readonly bytes: Uint8Array }

/**
 * Shares of `secret` for the places 1 to `count`: any `threshold` of them give it, fewer say nothing about it.
 *
 * @param secret a multiple of 4 bytes
 * @param random (threshold − 1) · secret.length fresh random bytes; the same ones give the same shares
 */
export function splitSecret(secret: Uint8Array, threshold: number, count: number, random: Uint8Array): Uint8Array[] {
  const isSplit = threshold >= 1 && threshold <= count && count <= 255 && secret.length % 4 === 0
  if (!isSplit || random.length !== (threshold - 1) * secret.length) {
    throw new PotluckError(
      'BAD_SHARING',
      `expected 1 ≤ threshold ≤ count ≤ 255 and (threshold − 1) random bytes for each of the secret's, got ${threshold}, ${count} and ${random.length} bytes for ${secret.length}`,
      { threshold, count },
    )
  }
  const size = secret.length / 4
  const constant = wordsOf(secret)
  const coefficients = wordsOf(random)
  return Array.from({ length: count }, (_, i) => {
    const sum = new Uint32Array(size)
    for (let power = threshold - 1; power >= 0; power--) {
      for (let w = 0; w < size; w++) {
        const coefficient = power === 0 ? constant[w]! : coefficients[(power - 1) * size + w]!
        sum[w] = times(sum[w]!, i + 1) ^ coefficient
      }
    }
    return new Uint8Array(sum.buffer)
  })
}

/** The secret from at least `threshold` shares of distinct places; wrong or too few of them give another one, unnoticed. */
export function combineShares(shares: readonly Share[]): Uint8Array {
  const length = shares[0]?.bytes.length ?? 0
  const places = new Set(shares.map(({ place }) => place))
  if (length === 0 || places.size !== shares.length || shares.some(({ bytes }) => bytes.length !== length)) {
    throw new PotluckError('BAD_SHARING', `expected shares of one length from distinct places, got ${shares.length}`, {
      shares: shares.length,
    })
  }
  const secret = new Uint32Array(length / 4)
  for (const { place, bytes } of shares) {
    // Lagrange at 0: the product of other/(other − own); subtraction is XOR.
    let weight = 1
    for (const other of places) {
      if (other !== place) weight = times(times(weight, other), inverse(other ^ place))
    }
    wordsOf(bytes).forEach((word, w) => {
      secret[w] = secret[w]! ^ times(word, weight)
    })
  }
  return new Uint8Array(secret.buffer)
}

const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice().buffer)

/** Each of the four bytes of `word` times `factor`, a public number from 0 to 255. */
function times(word: number, factor: number): number {
  let product = 0
  for (let bit = 0, doubled = word; bit < 8; bit++) {
    if ((factor >> bit) & 1) product ^= doubled
    doubled = ((doubled << 1) & 0xfefefefe) ^ Math.imul((doubled >>> 7) & 0x01010101, 0x1b)
  }
  return product
}

/** factor^254: the field has 255 numbers but 0, so it is 1/factor. */
function inverse(factor: number): number {
  let result = 1
  for (let bit = 7; bit >= 0; bit--) {
    result = times(result, result)
    if ((254 >> bit) & 1) result = times(result, factor)
  }
  return result
}
