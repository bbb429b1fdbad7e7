import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  sql,
  type Transaction,
} from 'kysely'
import type Sqlite from 'libsql'
import pg from 'pg'
import type { Log } from '../../log.ts'
import { migrate } from './migrations.ts'
import { performElsewhere } from './offload.ts'
import type { Schema } from './schema.ts'
import { openSqliteFile } from './sqlite.ts'
import { storableText, withStorableText } from './storable-text.ts'
import { ThreadedSqliteDriver } from './thread-driver.ts'

/** A connection, or the transaction in hand: store functions take either. */
export type Database = Kysely<Schema>
export type Tx = Transaction<Schema>

/**
 * Milliseconds libsql may hold the event loop while another process writes. What is still locked then is tried again
 * without holding it, for as long as a person would wait.
 */
const sqliteBusyTimeout = 25
const busyPatience = 5_000
/** Room for the indexes of the queue, instead of the 2 MB SQLite starts with. */
const cacheMb = 32

type Prepare = (sql: string) => Sqlite.Statement

class ImmediateSqliteDriver extends SqliteDriver {
  readonly #sqlite: Sqlite.Database

  constructor(sqlite: Sqlite.Database, prepare: Prepare) {
    super({ database: { prepare, close: () => sqlite.close() } })
    this.#sqlite = sqlite
  }

  /**
   * Deferred transactions that read before they write fail at once under a concurrent writer (SQLITE_BUSY_SNAPSHOT).
   * `exec`, because a prepared statement that met SQLITE_BUSY stays "in progress" in libsql until it is collected as
   * garbage, and no transaction of the connection can commit until then. For the same reason nothing is ever written
   * outside a transaction: its first statement is the only one that can be refused.
   */
  override async beginTransaction(): Promise<void> {
    // A snapshot is in the way only of a connection with a statement left over, and that does not pass.
    const passing = (error: unknown) => isBusy(error) && sqlState(error) !== 'SQLITE_BUSY_SNAPSHOT'
    await whileBusy(() => this.#sqlite.exec('begin immediate'), passing)
  }

  override async rollbackTransaction(): Promise<void> {
    // A full disk or a failed write has rolled back by itself; what has to be told is that error.
    if (this.#sqlite.inTransaction) this.#sqlite.exec('rollback')
  }
}

async function whileBusy<T>(step: () => T | Promise<T>, passing = isBusy): Promise<T> {
  for (const started = performance.now(); ; ) {
    try {
      return await step()
    } catch (error) {
      if (!passing(error) || performance.now() - started > busyPatience) throw error
      await sleep(5 + Math.random() * 30)
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
  readonly #driver: Driver

  constructor(driver: Driver) {
    // The driver alone uses the database, and this one has its own.
    super({ database: undefined as never })
    this.#driver = withStorableText(driver)
  }

  override createDriver(): Driver {
    return this.#driver
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
  if (options.databaseUrl !== null) {
    // No limit in time on a migration, or on waiting for another process's: nobody's request hangs on it.
    const migrating = openPostgres(options.databaseUrl, options.log, migrationLimits)
    try {
      await migrate(migrating)
    } finally {
      await migrating.destroy()
    }
    return connectDatabase(options)
  }
  // Processes that start at once on a new file stand in each other's way. kysely makes its own tables outside
  // transactions, so these wait inside SQLite; and a connection that met SQLITE_BUSY all the same is not used again.
  return whileBusy(async () => {
    const db = connectDatabase(options)
    try {
      await sql`pragma busy_timeout = ${sql.raw(String(busyPatience))}`.execute(db)
      await migrate(db)
      await sql`pragma busy_timeout = ${sql.raw(String(sqliteBusyTimeout))}`.execute(db)
      return db
    } catch (error) {
      await db.destroy()
      throw error
    }
  })
}

/**
 * The store as it is, its schema untouched. Connections to PostgreSQL are made when something is asked.
 * @param options.threaded runs SQLite in a thread of its own, for whoever stores a lot; compiled code alone can
 */
export function connectDatabase(options: {
  databaseUrl: string | null
  dataDir: string
  log: Log
  threaded?: boolean
}): Database {
  const { databaseUrl, dataDir, log, threaded = false } = options
  if (databaseUrl !== null) return openPostgres(databaseUrl, log, requestLimits)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = sqliteFile(dataDir)
  if (!threaded) return connectSqlite(openSqliteFile(file, { busyTimeout: sqliteBusyTimeout, cacheMb }))
  const driver = new ThreadedSqliteDriver(file)
  const db = new Kysely<Schema>({ dialect: new EmbeddedDialect(driver) })
  performElsewhere(db, (change, about) => driver.perform(change, about))
  return db
}

/** The store on a connection to its file. */
export const connectSqlite = (sqlite: Sqlite.Database, prepare: Prepare = (text) => sqlite.prepare(text)): Database =>
  new Kysely<Schema>({ dialect: new EmbeddedDialect(new ImmediateSqliteDriver(sqlite, prepare)) })

export const sqliteFile = (dataDir: string): string => join(dataDir, 'muster.db')

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

const requestLimits: Limits = { statementTimeout: 15_000, connections: 10 }
const migrationLimits: Limits = { statementTimeout: 0, connections: 1 }

function openPostgres(connectionString: string, log: Log, limits: Limits): Database {
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

export const isPostgres = (db: Database): boolean => db.getExecutor().adapter instanceof PostgresAdapter

/** Whether a column is one of so many texts, in a statement that is the same however many there are. */
export const among = (db: Database, column: string, texts: readonly string[]) =>
  isPostgres(db)
    ? sql<boolean>`${sql.ref(column)} = any(${texts})`
    : sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(texts.map(storableText))}))`

/** One change, whole or not at all; joins the transaction in hand. Tries again when PostgreSQL asks for it. */
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
const isConflict = (error: unknown) => sqlState(error) === '40001' || sqlState(error) === '40P01'

/** The database is away, full or starting; the same request can succeed later. */
export function isUnavailable(error: unknown): boolean {
  const code = sqlState(error)
  return (
    isBusy(error) ||
    /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|SQLITE_(IOERR|FULL|CANTOPEN|READONLY))/.test(code) ||
    /^(08|53|57P|58)/.test(code) ||
    (error instanceof Error &&
      /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(error.message))
  )
}
