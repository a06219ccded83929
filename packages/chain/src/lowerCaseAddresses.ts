const ADDRESS = /^0x[0-9a-fA-F]{40}$/

/**
 * The same value with every address in it in lower case, as messages and hashes have them; viem returns mixed case.
 * Goes through arrays and plain objects, which it copies.
 */
export function lowerCaseAddresses<T>(value: T): T
export function lowerCaseAddresses(value: unknown): unknown {
  if (typeof value === 'string') return ADDRESS.test(value) ? value.toLowerCase() : value
  if (Array.isArray(value)) return value.map((item) => lowerCaseAddresses(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lowerCaseAddresses(item)]))
}
