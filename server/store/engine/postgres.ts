import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely'
import pg from 'pg'
import { readDatabaseAddress } from '../../config/database-address.ts'
import type { Log } from '../../log.ts'
import type { Database } from './dialect.ts'
import type { Schema } from './schema.ts'
import { withStorableText } from './storable-text.ts'

class StorableTextDialect extends PostgresDialect {
  override createDriver(): Driver {
    return withStorableText(super.createDriver())
  }
}

/** kysely's own number: processes of 0.1 lock by it for a session, and these two kinds of lock exclude each other. */
const migrationLock = '3853314791062309107'

/**
 * Takes the lock of migrations inside their transaction. kysely takes one for the session: behind a pooler that lends
 * connections by the transaction, another one would be asked to let go of it, and every later start would wait for ever.
 */
class MigratingDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await super.beginTransaction(connection, settings)
    // Such a pooler may lend a connection on which requests were limited.
    await connection.executeQuery(CompiledQuery.raw('set local statement_timeout = 0'))
    await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_xact_lock(${migrationLock})`))
  }
}

class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class MigratingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return withStorableText(new MigratingDriver(this.#config))
  }

  override createAdapter(): PostgresAdapter {
    return new UnlockedAdapter()
  }
}

/** Milliseconds a statement may take; connections held at most. */
interface Limits {
  statementTimeout: number
  connections: number
}

export const requestLimits: Limits = { statementTimeout: 15_000, connections: 10 }

export const migrationLimits: Limits = { statementTimeout: 0, connections: 1 }

/** @throws Error for an address that `readDatabaseAddress` refuses */
export function openPostgres(databaseUrl: string, log: Log, limits: Limits): Database {
  const pool = new pg.Pool({
    ...postgresClient(databaseUrl),
    max: limits.connections,
    connectionTimeoutMillis: 5_000,
    types: { getTypeParser },
  })
  // Without a listener, one connection cut by a restart of PostgreSQL ends the process: the pool listens to those that
  // are idle and passes it on, and to those in use nobody listens. Of these the next query tells.
  pool.on('error', (err) => log.warn({ err }, 'an idle database connection was lost'))
  pool.on('connect', (client) => client.on('error', () => undefined))
  const config: PostgresDialectConfig = {
    pool,
    // Not among the parameters of the connection: PgBouncer refuses those.
    async onCreateConnection(connection) {
      await connection.executeQuery(CompiledQuery.raw(limiting, [String(limits.statementTimeout)]))
    },
  }
  const dialect = limits === migrationLimits ? new MigratingDialect(config) : new StorableTextDialect(config)
  return new Kysely<Schema>({ dialect })
}

const limiting =
  "select set_config('statement_timeout', $1, false), set_config('idle_in_transaction_session_timeout', '30000', false)"

/** What a client of the driver is told of the server. @throws Error for an address that `readDatabaseAddress` refuses */
export function postgresClient(databaseUrl: string): pg.ClientConfig {
  const address = readDatabaseAddress(databaseUrl)
  if ('problem' in address) throw new Error(`DATABASE_URL ${address.problem}`)
  const { connectionString, ssl } = address
  return ssl === undefined ? { connectionString } : { connectionString, ssl }
}

/** `count(*)` and bigint columns as numbers: no count here passes 2^53. */
const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser
