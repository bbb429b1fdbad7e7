import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import type Sqlite from 'libsql'
import type { Log } from '../../log.ts'
import type { Database } from './dialect.ts'
import { migrate } from './migrations.ts'
import { offloadTo } from './offload.ts'
import { migrationLimits, openPostgres, requestLimits } from './postgres.ts'
import type { Schema } from './schema.ts'
import { openSqliteFile } from './sqlite.ts'
import { EmbeddedDialect, ImmediateSqliteDriver, type Prepare } from './sqlite-driver.ts'
import { ThreadedSqliteDriver } from './thread-driver.ts'
import { busyPatience, whileBusy } from './write.ts'

/**
 * Milliseconds libsql may hold the event loop while another process writes. What is still locked then is tried again
 * without holding it, for as long as a person would wait.
 */
const sqliteBusyTimeout = 25
/** Room for the indexes of the queue, instead of the 2 MB SQLite starts with. */
const cacheMb = 32

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
 * @param options.threaded runs SQLite in a thread of its own, for processes that store a lot; only compiled code can
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
  offloadTo(db, (change, about) => driver.perform(change, about))
  return db
}

/** The store on a connection to its file. */
export const connectSqlite = (sqlite: Sqlite.Database, prepare: Prepare = (text) => sqlite.prepare(text)): Database =>
  new Kysely<Schema>({ dialect: new EmbeddedDialect(new ImmediateSqliteDriver(sqlite, prepare)) })

export const sqliteFile = (dataDir: string): string => join(dataDir, 'muster.db')
