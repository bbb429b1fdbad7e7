import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import Sqlite from 'libsql'
import { sqliteFile } from '../engine/database.ts'
import { BackupError, type Contents, compareRows, HeldError, keyOf, type Manifest, toDisk } from './manifest.ts'

const patienceMs = 10_000

/**
 * Copies the database of a data folder as it stands at one moment, whoever writes meanwhile, and looks at the copy.
 * @throws BackupError; what SQLite says of a disk that is full
 */
export function backUpSqlite(dataDir: string, copy: string): Contents {
  const file = sqliteFile(dataDir)
  if (!existsSync(file)) throw new BackupError(`There is no database at ${file}.`)
  const source = new Sqlite(file)
  let before: Contents
  let after: Contents
  try {
    source.pragma(`busy_timeout = ${patienceMs}`)
    before = contentsOf(source)
    source.exec(`vacuum into '${copy.replaceAll("'", "''")}'`)
    after = contentsOf(source)
  } finally {
    source.close()
  }
  chmodSync(copy, 0o600)
  const found = lookAt(copy)
  if (String(before.migrations) !== String(found.migrations) || String(after.migrations) !== String(found.migrations)) {
    throw new BackupError('The schema was changed meanwhile, by a newer Muster that started. Run it again.')
  }
  // The copy is of one moment between the two counts, and no row ever leaves the audit log.
  const audit = (contents: Contents) => contents.rows.audit_events ?? 0
  if (audit(found) < audit(before) || audit(found) > audit(after)) {
    throw new BackupError(
      `The copy holds ${audit(found)} audit events, and the database ${audit(before)} to ${audit(after)}.`,
    )
  }
  return found
}

/** Reads all of a file. @throws BackupError where it is damaged */
function lookAt(file: string): Contents {
  const copy = new Sqlite(file, { readonly: true })
  try {
    const [first] = copy.pragma('integrity_check') as { integrity_check: string }[]
    if (first?.integrity_check !== 'ok') throw new BackupError(`${file} is damaged: ${first?.integrity_check}.`)
    const orphans = copy.pragma('foreign_key_check') as unknown[]
    if (orphans.length > 0) throw new BackupError(`${file} is damaged: ${orphans.length} rows lead nowhere.`)
    return contentsOf(copy)
  } catch (error) {
    if (error instanceof BackupError) throw error
    throw new BackupError(`${file} is damaged (${(error as { code?: string }).code}).`)
  } finally {
    copy.close()
  }
}

function contentsOf(db: Sqlite.Database): Contents {
  const tables = (
    db
      .prepare(
        `select name from sqlite_master where type = 'table' and sql not like 'create virtual%'
         and name not like 'sqlite\\_%' escape '\\' and name not like 'incident\\_search\\_%' escape '\\' order by name`,
      )
      .all() as { name: string }[]
  ).map(({ name }) => name)
  const all = <T>(table: string, text: string) => (tables.includes(table) ? (db.prepare(text).all() as T[]) : [])
  const rows = Object.fromEntries(
    tables.map((table) => [table, (db.prepare(`select count(*) as n from "${table}"`).get() as { n: number }).n]),
  )
  const sealed = [
    ...all<{ sealed: string }>('destinations', 'select sealed from destinations'),
    ...all<{ sealed: string }>(
      'settings',
      "select json_extract(value, '$.sealed') as sealed from settings where name = 'mail'",
    ),
  ]
  const migrations = all<{ name: string }>('kysely_migration', 'select name from kysely_migration order by name')
  return {
    migrations: migrations.map(({ name }) => name),
    rows,
    sealedBy: [...new Set(sealed.map((one) => keyOf(one.sealed)))].sort(),
  }
}

/**
 * Puts the copy in the place of a data folder's database, which is kept under another name.
 * @param replace whether there may be one
 * @returns where the earlier database is; null where there was none
 * @throws BackupError where there is one that may not be replaced, where a process has it open, or the copy is not what its manifest says
 */
export function restoreSqlite(
  dataDir: string,
  copy: string,
  { manifest, replace, at }: { manifest: Manifest; replace: boolean; at: Date },
): string | null {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = sqliteFile(dataDir)
  const next = `${file}.restoring`
  const kept = existsSync(file) ? `${file}.before-${at.toISOString().replaceAll(/[:.]/g, '-')}` : null
  const current = kept === null ? null : takenAlone(file)
  try {
    if (current !== null && !replace) throw new HeldError(heldIn(current))
    rmSync(next, { force: true })
    copyFileSync(copy, next)
    chmodSync(next, 0o600)
    compareRows(manifest.rows, lookAt(next).rows, 'The copy')
    toDisk(next)
    if (kept !== null) renameSync(file, kept)
    renameSync(next, file)
    toDisk(dataDir)
    return kept
  } finally {
    rmSync(next, { force: true })
    current?.close()
  }
}

/**
 * Brings what is in the log into the file and has it alone, until the connection is closed. Nothing else in this process may have
 * opened it before: libsql keeps a connection until its statements are collected as garbage.
 * @throws BackupError where another process has it open
 */
function takenAlone(file: string): Sqlite.Database {
  const db = new Sqlite(file)
  try {
    // Only whoever is alone may leave the mode that all share. `exec`: a prepared statement that is refused stays open.
    db.exec('pragma busy_timeout = 500; pragma journal_mode = delete')
    db.exec('begin exclusive')
    return db
  } catch (error) {
    db.close()
    if (!String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) return db
    throw new BackupError(`A process has ${file} open. Stop every Muster that uses it, then run it again.`)
  }
}

function heldIn(db: Sqlite.Database): { customers: number; incidents: number } {
  try {
    const { rows } = contentsOf(db)
    return { customers: rows.customers ?? 0, incidents: rows.incidents ?? 0 }
  } catch {
    // Damaged, closed or none: somebody put it there.
    return { customers: 0, incidents: 0 }
  }
}

export const copyName = 'muster.db'
