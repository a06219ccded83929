import { PotluckError } from '@potluck/protocol'

/** A setting as people write it: `NAME`, `NAME:VALUE`, `NAME:VALUE:VALUE`, each with `@RATE` behind it where there is one. */
export class Setting {
  readonly name: string
  readonly values: readonly string[]
  readonly rate: string | undefined
  readonly #option: string
  readonly #text: string
  readonly #forms: string

  /**
   * @param option as the command line names it
   * @param forms what there is to write, for the errors
   */
  constructor(option: string, text: string, forms: string) {
    this.#option = option
    this.#text = text
    this.#forms = forms
    const at = text.lastIndexOf('@')
    const [name = '', ...values] = (at < 0 ? text : text.slice(0, at)).split(':')
    this.name = name
    this.values = values
    this.rate = at < 0 ? undefined : text.slice(at + 1)
  }

  /** BAD_SETTING with the option, what was seen, why not and what there is. */
  refuse(why: string): PotluckError {
    const seen = this.#text.slice(0, 80)
    const message = `${this.#option} ${seen}: ${why}; there are ${this.#forms}`
    return new PotluckError('BAD_SETTING', message, { option: this.#option, seen })
  }

  unknown(): PotluckError {
    return this.refuse(`${JSON.stringify(this.name.slice(0, 40))} is not known`)
  }

  /** Refuses values, or a rate, that nobody asked for: a slip of the keyboard must not pass. */
  expect(values: number, hasRate = false): this {
    const extra = this.values[values]
    if (extra !== undefined) throw this.refuse(`nothing is known of ${JSON.stringify(extra.slice(0, 40))}`)
    if (!hasRate && this.rate !== undefined) throw this.refuse(`${this.name} has no rate`)
    return this
  }

  /** Value `index` as a number; `usual` where it is left out, an error where there is no usual one. */
  number(index: number, what: string, range: NumberRange, usual?: number): number {
    return this.#read(this.values[index], what, range, usual)
  }

  rateOr(usual: number): number {
    return this.#read(this.rate, 'a rate', { above: 0, most: 100 }, usual)
  }

  #read(text: string | undefined, what: string, { above, least, most, isWhole }: NumberRange, usual?: number): number {
    if (text === undefined && usual !== undefined) return usual
    const value = /^(\d{1,12}(\.\d{0,15})?|\.\d{1,15})(e-?\d{1,2})?$/i.test(text ?? '') ? Number(text) : Number.NaN
    const isIn = (above === undefined || value > above) && (least === undefined || value >= least) && value <= most
    if (isIn && (!isWhole || Number.isInteger(value))) return value
    const from = above === undefined ? `from ${least ?? 0}` : `above ${above}`
    throw this.refuse(
      `expected ${what}, ${isWhole ? 'a whole number ' : ''}${from} up to ${most}, got ${JSON.stringify(text ?? '')}`,
    )
  }
}

export type NumberRange = {
  readonly above?: number
  readonly least?: number
  readonly most: number
  readonly isWhole?: boolean
}
