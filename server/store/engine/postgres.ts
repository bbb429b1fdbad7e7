import { type Driver, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Log } from '../../log.ts'
import type { Database } from './dialect.ts'
import type { Schema } from './schema.ts'
import { withStorableText } from './storable-text.ts'

class StorableTextDialect extends PostgresDialect {
  override createDriver(): Driver {
    return withStorableText(super.createDriver())
  }
}

/** Milliseconds a statement may take; connections held at most. */
interface Limits {
  statementTimeout: number
  connections: number
}

export const requestLimits: Limits = { statementTimeout: 15_000, connections: 10 }

export const migrationLimits: Limits = { statementTimeout: 0, connections: 1 }

export function openPostgres(connectionString: string, log: Log, limits: Limits): Database {
  const pool = new pg.Pool({
    connectionString,
    max: limits.connections,
    connectionTimeoutMillis: 5_000,
    statement_timeout: limits.statementTimeout,
    idle_in_transaction_session_timeout: 30_000,
    types: { getTypeParser },
  })
  // Without a listener, one connection cut by a restart of PostgreSQL ends the process: the pool listens to those that
  // are idle and passes it on, and to those in use nobody listens. Of these the next query tells.
  pool.on('error', (err) => log.warn({ err }, 'an idle database connection was lost'))
  pool.on('connect', (client) => client.on('error', () => undefined))
  return new Kysely<Schema>({ dialect: new StorableTextDialect({ pool }) })
}

/** `count(*)` and bigint columns as numbers: no count here passes 2^53. */
const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser
