import { PotluckError } from '@potluck/protocol'

/**
 * Token units of an amount as people write it: `1.5` and `2` count tokens, `1500000u` counts units.
 *
 * Throws BAD_AMOUNT with the value seen; an amount finer than the token is refused, not rounded.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const refuse = (why: string): PotluckError =>
    new PotluckError('BAD_AMOUNT', `"${text}" is no amount: ${why}`, { seen: text.slice(0, 60), decimals })
  const units = /^(\d{1,39})u$/.exec(text)
  if (units) return BigInt(units[1] ?? 0)
  const parts = /^(\d{1,30})(?:\.(\d{1,36}))?$/.exec(text)
  if (!parts) throw refuse('write tokens as 1.5, or units as 1500000u; no sign, no spaces, a point for decimals')
  const [, whole = '0', part = ''] = parts
  if (part.length > decimals) throw refuse(`the token has ${decimals} decimals, this has ${part.length}`)
  return BigInt(whole) * 10n ** BigInt(decimals) + BigInt(part.padEnd(decimals, '0') || 0)
}

/** Units as tokens, without trailing zeros. */
export function formatAmount(units: bigint, decimals: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const part = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return `${sign}${whole}${part ? `.${part}` : ''}`
}
