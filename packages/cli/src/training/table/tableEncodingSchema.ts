import { z } from 'zod'
import type { TableEncoding } from './encodeRows.ts'

const place = { name: z.string(), index: z.number().int().min(0) }
const count = z.number().int().min(0)
const scale = { mean: z.number().finite(), deviation: z.number().finite() }

/** What config.json says of how a row of a table was read; fields beside these are not looked at. */
export const tableEncodingSchema: z.ZodType<TableEncoding> = z.object({
  columns: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('number'),
        ...place,
        ...scale,
        indicator: z.boolean(),
        missing: count,
        strays: count,
      }),
      z.object({
        kind: z.literal('category'),
        ...place,
        categories: z.array(z.string()),
        other: z.boolean(),
        fill: z.string(),
        missing: count,
      }),
      z.object({ kind: z.literal('ignored'), ...place, why: z.string() }),
    ]),
  ),
  target: z.discriminatedUnion('task', [
    z.object({ task: z.literal('classification'), ...place, classes: z.array(z.string()), why: z.string() }),
    z.object({ task: z.literal('regression'), ...place, ...scale, why: z.string() }),
  ]),
})
