import { chmodSync } from 'node:fs'
import Sqlite from 'libsql'

interface Connecting {
  /** Milliseconds SQLite waits for another connection's write, holding the thread. */
  busyTimeout: number
  cacheMb: number
}

/** A connection to a file that only its owner reads, with every commit on the disk before it is reported. */
export function openSqliteFile(file: string, { busyTimeout, cacheMb }: Connecting): Sqlite.Database {
  const sqlite = new Sqlite(file)
  try {
    chmodSync(file, 0o600)
    sqlite.pragma(`busy_timeout = ${busyTimeout}`)
    sqlite.pragma('journal_mode = WAL')
    // WAL alone leaves a committed transaction to the next checkpoint's fsync; FULL makes every commit durable.
    sqlite.pragma('synchronous = FULL')
    // KiB, negative by SQLite's convention.
    sqlite.pragma(`cache_size = ${-1024 * cacheMb}`)
    return sqlite
  } catch (error) {
    sqlite.close()
    throw error
  }
}
