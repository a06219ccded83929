/** Where data may be worked on: countries by their ISO 3166-1 alpha-2 code, and groups of them. */
import { z } from 'zod'

const EU = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE'.split(' ')

/** Names of groups that are no country's code, with their members: the Union, and the European Economic Area. */
export const regionGroups: Readonly<Record<string, readonly string[]>> = { EU, EEA: [...EU, 'IS', 'LI', 'NO'] }

/** A country, as a node says of itself. */
export const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'expected a country as ISO 3166-1 alpha-2 writes it, such as DE')
  .refine((code) => !Object.hasOwn(regionGroups, code), 'expected one country, not a group of them')

/** What a licence may name: countries and groups. */
export const residency = z
  .array(
    z
      .string()
      .max(3)
      .refine(
        (code) => Object.hasOwn(regionGroups, code) || country.safeParse(code).success,
        `expected countries such as DE, or ${Object.keys(regionGroups).join(', ')}`,
      ),
  )
  .min(1)
  .max(64)

/** Whether a node that says it is in `region` may work on data kept to `allowed`; one that says nothing is nowhere. */
export function isWithin(region: string | undefined, allowed: readonly string[]): boolean {
  if (region === undefined) return false
  return allowed.some(
    (code) => code === region || (Object.hasOwn(regionGroups, code) && regionGroups[code]?.includes(region)),
  )
}
