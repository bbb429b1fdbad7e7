import { type Driver, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import type Sqlite from 'libsql'
import { withStorableText } from './storable-text.ts'
import { isBusy, sqlState, whileBusy } from './write.ts'

export type Prepare = (sql: string) => Sqlite.Statement

export class ImmediateSqliteDriver extends SqliteDriver {
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

/** SQLite runs its DDL in transactions; kysely’s adapter says it does not, and would migrate without one. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

export class EmbeddedDialect extends SqliteDialect {
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
