import { PotluckError } from '@potluck/protocol'
import pg, { type Pool } from 'pg'

/**
 * A pool of connections that outlives the server: a broken connection is dropped and the next statement opens a new one.
 * Nothing is opened before the first statement.
 */
export function openDatabase(url: string, log: (line: string) => void): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: 5_000,
    application_name: 'potluck ledger',
  })
  // Without a listener, an idle connection that the server closes would end the process.
  pool.on('error', (error) => log(`database connection lost: ${error.message}`))
  return pool
}

// Class 08: connection; 57P: the server shuts down or starts; 53300: no free connection.
const unreachable = /^(08|57P|53300)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/

/** Whether the database, not the statement, was the trouble: waiting helps. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return (
    unreachable.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      error.message,
    )
  )
}

/** The same error, or DATABASE_UNREACHABLE when the database is away. */
export function databaseError(error: unknown): unknown {
  if (!isDatabaseAway(error)) return error
  return new PotluckError(
    'DATABASE_UNREACHABLE',
    `the database does not answer: ${(error as Error).message}; nothing is lost, try again`,
    {},
    { cause: error, remedy: 'retry' },
  )
}
