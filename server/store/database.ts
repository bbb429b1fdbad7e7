import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  type Transaction,
} from 'kysely'
import Sqlite from 'libsql'
import pg from 'pg'
import type { Log } from '../log.ts'
import { migrate } from './migrations.ts'
import type { Schema } from './schema.ts'

/** A connection, or the transaction in hand: store functions take either. */
export type Database = Kysely<Schema>
export type Tx = Transaction<Schema>

/**
 * Milliseconds libsql may hold the event loop while another process writes. What is still locked then is tried again
 * without holding it.
 */
const sqliteBusyTimeout = 100
const busyRetries = 60

/** Deferred transactions that read before they write fail at once under a concurrent writer (SQLITE_BUSY_SNAPSHOT). */
class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'))
        return
      } catch (error) {
        if (!isBusy(error) || attempt >= busyRetries) throw error
        await sleep(10 + Math.random() * 40)
      }
    }
  }
}

/** SQLite runs its DDL in transactions; kysely’s adapter says it does not, and would migrate without one. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class EmbeddedDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig

  constructor(config: SqliteDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver(this.#config)
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}

/**
 * Opens the store and brings its schema up to date: PostgreSQL at `databaseUrl`, or SQLite in `dataDir`.
 * @throws SchemaTooNewError when a newer Muster has migrated it.
 */
export async function openDatabase(options: {
  databaseUrl: string | null
  dataDir: string
  log: Log
}): Promise<Database> {
  const db = options.databaseUrl === null ? openSqlite(options.dataDir) : openPostgres(options.databaseUrl, options.log)
  try {
    await migrate(db)
    return db
  } catch (error) {
    await db.destroy()
    throw error
  }
}

function openSqlite(dataDir: string): Database {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'muster.db')
  const sqlite = new Sqlite(file)
  chmodSync(file, 0o600)
  sqlite.pragma(`busy_timeout = ${sqliteBusyTimeout}`)
  sqlite.pragma('journal_mode = WAL')
  // WAL alone leaves a committed transaction to the next checkpoint's fsync; FULL makes every commit durable.
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('foreign_keys = ON')
  return new Kysely<Schema>({ dialect: new EmbeddedDialect({ database: sqlite }) })
}

function openPostgres(connectionString: string, log: Log): Database {
  const pool = new pg.Pool({
    connectionString,
    max: 10,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 30_000,
    types: { getTypeParser },
  })
  // Without a listener, one idle connection cut by a restart of PostgreSQL ends the process.
  pool.on('error', (err) => log.warn({ err }, 'an idle database connection was lost'))
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
}

/** `count(*)` and bigint columns as numbers: no count here passes 2^53. */
const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser

export const isPostgres = (db: Database): boolean => db.getExecutor().adapter instanceof PostgresAdapter

/** One change, whole or not at all; joins the transaction in hand. Tries again when the engine asks for it. */
export async function write<T>(db: Database, change: (tx: Tx) => Promise<T>): Promise<T> {
  if (db.isTransaction) return change(db as Tx)
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(change)
    } catch (error) {
      if (attempt >= 5 || !isConflict(error)) throw error
      await sleep(5 + Math.random() * 20 * attempt)
    }
  }
}

const sqlState = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

const isBusy = (error: unknown) => /^SQLITE_(BUSY|LOCKED)/.test(sqlState(error))

/** 40001 serialization_failure, 40P01 deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const isConflict = (error: unknown) => isBusy(error) || sqlState(error) === '40001' || sqlState(error) === '40P01'

/** The database is away, full or starting; the same request can succeed later. */
export function isUnavailable(error: unknown): boolean {
  const code = sqlState(error)
  return (
    isBusy(error) ||
    /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|SQLITE_(IOERR|FULL|CANTOPEN|READONLY))/.test(code) ||
    /^(08|53|57P|58)/.test(code) ||
    (error instanceof Error && /Connection terminated|timeout exceeded when trying to connect/.test(error.message))
  )
}

export const isDuplicate = (error: unknown): boolean =>
  /^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)/.test(sqlState(error)) || sqlState(error) === '23505'
