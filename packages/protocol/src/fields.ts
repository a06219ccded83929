/** Zod schemas of the fields that messages share. Every one is bounded: what a peer sends can never be larger than its schema. */
import { z } from 'zod'
import type { Hex } from './bytes.ts'

const hexOf = (bytes: number) =>
  z.custom<Hex>((value) => typeof value === 'string' && new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`).test(value), {
    message: `expected 0x and ${bytes * 2} lower-case hex digits`,
  })

export const address = hexOf(20)
export const hash = hexOf(32)
export const signature = hexOf(65)
export const jobId = z.number().int().min(1).max(4_294_967_295)
export const round = z.number().int().min(0).max(4_294_967_295)
export const share = z.number().int().min(0).max(65_535)
/** Token units: decimal digits, since CBOR integers beyond 2^53 do not survive every reader. */
export const amount = z
  .string()
  .regex(/^(0|[1-9]\d{0,38})$/, 'expected a whole number of token units in decimal digits')
  .transform((digits) => BigInt(digits))
export const httpUrl = z
  .string()
  .max(200)
  .regex(/^https?:\/\/[^\s/?#]+$/, 'expected http(s)://host:port without a path')

/** Members of a private job by their places in its list, rising: the group of one attempt at a sum (P-63). */
export const memberPlaces = z
  .array(z.number().int().min(0).max(63))
  .min(3)
  .max(64)
  .refine((places) => places.every((place, i) => i === 0 || place > (places[i - 1] as number)), 'places, rising')
