import type { PoolClient } from 'pg'
import type { z } from 'zod'

/** A pool or one client of it: whatever runs a statement. */
export type Queryable = Pick<PoolClient, 'query'>

/** The rows of a statement, each checked by `schema`. Amounts come as text and are parsed by the schema, never as floats. */
export async function rows<S extends z.ZodTypeAny>(
  database: Queryable,
  schema: S,
  sql: string,
  values: readonly unknown[] = [],
): Promise<z.output<S>[]> {
  const result = await database.query(sql, values)
  return result.rows.map((row) => schema.parse(row))
}

/** The first row, or undefined when there is none. */
export async function firstRow<S extends z.ZodTypeAny>(
  database: Queryable,
  schema: S,
  sql: string,
  values: readonly unknown[] = [],
): Promise<z.output<S> | undefined> {
  return (await rows(database, schema, sql, values))[0]
}
