import type { Hex } from '@potluck/protocol'
import type { LedgerDeployment } from '../chain/LedgerChain.ts'

/** Amounts as people read them: `1.25 USD`; exact, never rounded. A token the deployment does not name shows its address. */
export class Money {
  readonly #tokens: ReadonlyMap<string, { symbol: string; decimals: number }>

  constructor(tokens: LedgerDeployment['tokens']) {
    this.#tokens = new Map(tokens.map(({ address, symbol, decimals }) => [address.toLowerCase(), { symbol, decimals }]))
  }

  text(amount: bigint, token: string): string {
    const { symbol, decimals } = this.of(token)
    const digits = amount.toString().padStart(decimals + 1, '0')
    const whole = digits.slice(0, digits.length - decimals)
    const part = decimals === 0 ? '' : digits.slice(-decimals).replace(/0+$/, '')
    return `${whole}${part ? `.${part}` : ''} ${symbol}`
  }

  of(token: string): { symbol: string; decimals: number } {
    return this.#tokens.get(token) ?? { symbol: `units of ${token}`, decimals: 0 }
  }

  get tokens(): Hex[] {
    return [...this.#tokens.keys()] as Hex[]
  }
}

/** With SALT, which bonds are in, whether or not calls may be paid in it. */
export function moneyOf({ tokens, contracts }: LedgerDeployment): Money {
  return new Money([...tokens, { symbol: 'SALT', address: contracts.salt, decimals: 18 }])
}

/** A part in millionths as a percentage: `25 %`, `0.5 %`. */
export function percent(ppm: number): string {
  return `${ppm / 10_000} %`
}
