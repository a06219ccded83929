/** Schemas of the columns that many rows share. `pg` hands bigint and numeric columns over as text. */
import type { Hex } from '@potluck/protocol'
import { z } from 'zod'

export const hex = z.custom<Hex>((value) => typeof value === 'string' && value.startsWith('0x'))
/** Token units. */
export const amount = z.string().transform((digits) => BigInt(digits))
/** Ids, block numbers and `seq`: all far below 2^53. */
export const count = z.union([z.string(), z.number()]).transform((value) => Number(value))
