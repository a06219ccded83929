/** Readers of single arguments for the command line: each gives the value, or one error with the value seen and what to write. */
import type { Hex } from '@potluck/protocol'
import { InvalidArgumentError } from 'commander'

const shown = (text: string): string => JSON.stringify(text.slice(0, 80))

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
    throw new InvalidArgumentError(`got ${shown(text)}; write a whole number ${range}.`)
  }
}

/** A finite number from `least` to `most`. */
export function decimalNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`got ${shown(text)}; write a number from ${least} to ${most}.`)
  }
}

/** An address, in lower case. */
export function address(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex
  throw new InvalidArgumentError(`got ${shown(text)}; write an address: 0x and 40 hex digits.`)
}

/** A hash of 32 bytes, in lower case. */
export function hash(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Hex
  throw new InvalidArgumentError(`got ${shown(text)}; write a hash: 0x and 64 hex digits.`)
}

/** http(s)://host:port, without a slash at the end. */
export function webAddress(text: string): string {
  const bare = text.replace(/\/+$/, '')
  if (/^https?:\/\/[^\s?#]{1,200}$/.test(bare)) return bare
  throw new InvalidArgumentError(`got ${shown(text)}; write http(s)://host:port.`)
}

/** Collects `name=value` pairs with a number each. */
export function namedNumber(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, name, value] = /^([A-Za-z_][\w-]{0,59})=([+-]?(?:\d+\.?\d*|\.\d+))$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError(`got ${shown(text)}; write name=number, such as age=63.`)
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`)
  return { ...before, [name]: Number(value) }
}
