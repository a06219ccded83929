/** The part of `pg` this package uses; the client ships no declarations of its own. */
declare module 'pg' {
  export interface QueryResult {
    rows: unknown[]
    rowCount: number | null
  }
  export interface PoolClient {
    query(sql: string, values?: readonly unknown[]): Promise<QueryResult>
    release(error?: Error | boolean): void
    on(event: 'error', handler: (error: Error) => void): this
    removeListener(event: 'error', handler: (error: Error) => void): this
  }
  export interface PoolConfig {
    connectionString: string
    max?: number
    connectionTimeoutMillis?: number
    idleTimeoutMillis?: number
    application_name?: string
  }
  export class Pool {
    constructor(config: PoolConfig)
    query(sql: string, values?: readonly unknown[]): Promise<QueryResult>
    connect(): Promise<PoolClient>
    on(event: 'error', handler: (error: Error) => void): this
    end(): Promise<void>
  }
  const pg: { Pool: typeof Pool }
  export default pg
}
