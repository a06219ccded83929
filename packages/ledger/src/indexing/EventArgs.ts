import { type Hex, PotluckError } from '@potluck/protocol'

/** JSON of an event's arguments: whole numbers as decimal text, hex in lower case, structs as objects. */
export type PlainArgs = { readonly [name: string]: Plain }
export type Plain = string | boolean | readonly Plain[] | PlainArgs

/** What a typed client hands over, made plain. Numbers beyond 2^53 survive, and addresses compare as text. */
export function plainArgs(args: Readonly<Record<string, unknown>>): PlainArgs {
  return plain(args) as PlainArgs
}

function plain(value: unknown): Plain {
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString()
  if (typeof value === 'boolean') return value
  // JSON text in Postgres cannot hold a NUL, which anyone may put in an endpoint.
  if (typeof value === 'string')
    return /^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value.replaceAll('\0', '')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
  }
  throw new PotluckError('EVENT_INVALID', `an event argument of type ${typeof value} has no plain form`)
}

/** Reads named arguments; throws EVENT_INVALID when one is missing, since then the ABI is not the contract's. */
export class EventArgs {
  readonly args: PlainArgs

  constructor(args: PlainArgs) {
    this.args = args
  }

  text(name: string): string {
    const value = this.args[name]
    if (typeof value !== 'string') throw this.#wrong(name, 'text')
    return value
  }

  hex(name: string): Hex {
    const value = this.text(name)
    if (!value.startsWith('0x')) throw this.#wrong(name, 'hex')
    return value as Hex
  }

  /** Decimal digits, ready for a numeric or bigint column. */
  whole(name: string): string {
    const value = this.text(name)
    if (!/^-?\d+$/.test(value)) throw this.#wrong(name, 'a whole number')
    return value
  }

  list(name: string): readonly string[] {
    const value = this.args[name]
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw this.#wrong(name, 'a list')
    return value
  }

  struct(name: string): EventArgs {
    const value = this.args[name]
    if (typeof value !== 'object' || Array.isArray(value)) throw this.#wrong(name, 'a struct')
    return new EventArgs(value as PlainArgs)
  }

  #wrong(name: string, wanted: string): PotluckError {
    return new PotluckError(
      'EVENT_INVALID',
      `event argument ${name} is not ${wanted}: ${JSON.stringify(this.args[name])}`,
      { name },
    )
  }
}
