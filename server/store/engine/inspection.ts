import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { readDatabaseAddress } from '../../config/database-address.ts'
import type { Log } from '../../log.ts'
import { connectionFault } from '../connection-fault.ts'
import { newToken } from '../identifiers.ts'
import { connectDatabase, sqliteFile } from './database.ts'
import { type Database, isPostgres } from './dialect.ts'
import { schemaState } from './migrations.ts'
import { write } from './write.ts'

/** What was found of the database, without changing anything in it. */
export interface DatabaseCondition {
  engine: 'SQLite' | 'PostgreSQL'
  /** The file, or server and database: never a user or a password. */
  place: string
  /** `absent`: there is no file yet, and one can be made. */
  state: 'absent' | 'empty' | 'older' | 'current' | 'newer' | 'read-only' | 'unreachable'
  /** The code of the engine or the system, where something failed. */
  reason: string
}

interface Whereabouts {
  databaseUrl: string | null
  dataDir: string
}

/** Looks at a database that no process need have opened. Migrates nothing and creates nothing. */
export async function inspectDatabase(at: Whereabouts, log: Log): Promise<DatabaseCondition> {
  const condition = { ...placeOf(at), reason: '' }
  if (at.databaseUrl === null && !existsSync(sqliteFile(at.dataDir))) return { ...condition, ...absentFile(at.dataDir) }
  let db: Database | null = null
  try {
    db = connectDatabase({ ...at, log })
    return await inspectOpenDatabase(db, at)
  } catch (error) {
    return { ...condition, state: 'unreachable', reason: reasonOf(error) }
  } finally {
    await db?.destroy()
  }
}

/**
 * The names of the customers in a database of any version of Muster. Migrates nothing and creates nothing.
 * @throws what the engine or the driver says of a database that cannot be read
 */
export async function customerNamesIn(at: Whereabouts, log: Log): Promise<string[]> {
  if (at.databaseUrl === null && !existsSync(sqliteFile(at.dataDir))) return []
  const db = connectDatabase({ ...at, log })
  try {
    if ((await schemaState(db)) === 'empty') return []
    return (await db.selectFrom('customers').select('name').execute()).map(({ name }) => name)
  } finally {
    await db.destroy()
  }
}

/** The same of a database that is open: it answers, has this version's schema, and takes a write. */
export async function inspectOpenDatabase(db: Database, at: Whereabouts): Promise<DatabaseCondition> {
  const condition = { ...placeOf(at), engine: isPostgres(db) ? 'PostgreSQL' : 'SQLite', reason: '' } as const
  try {
    const state = await schemaState(db)
    if (state !== 'current') return { ...condition, state }
  } catch (error) {
    return { ...condition, state: 'unreachable', reason: reasonOf(error) }
  }
  try {
    await proveWritable(db)
    return { ...condition, state: 'current' }
  } catch (error) {
    return { ...condition, state: 'read-only', reason: reasonOf(error) }
  }
}

/** A row comes and goes in one transaction, which is committed: a full disk is not noticed before that. */
async function proveWritable(db: Database): Promise<void> {
  const hash = newToken()
  await write(db, async (tx) => {
    await tx
      .insertInto('spent_tokens')
      .values({ hash, expires_at: new Date(0).toISOString() })
      .execute()
    await tx.deleteFrom('spent_tokens').where('hash', '=', hash).execute()
  })
}

/** Which database that is, in words that may be shown: never a user or a password. */
export function placeOf({ databaseUrl, dataDir }: Whereabouts): Pick<DatabaseCondition, 'engine' | 'place'> {
  if (databaseUrl === null) return { engine: 'SQLite', place: sqliteFile(dataDir) }
  const address = readDatabaseAddress(databaseUrl)
  return { engine: 'PostgreSQL', place: 'problem' in address ? 'DATABASE_URL' : address.place }
}

/** Whether the first start can make the folder and the file. */
function absentFile(dataDir: string): Pick<DatabaseCondition, 'state' | 'reason'> {
  let folder = resolve(dataDir)
  while (!existsSync(folder)) folder = dirname(folder)
  try {
    accessSync(`${folder}/`, constants.W_OK | constants.X_OK)
    return { state: 'absent', reason: '' }
  } catch (error) {
    return { state: 'unreachable', reason: reasonOf(error) }
  }
}

/** The network's own codes say enough; the rest in words, with the code behind them. */
function reasonOf(error: unknown): string {
  const fault = connectionFault(error)
  if (fault === null) return 'no answer'
  if (/^E[A-Z]+$/.test(fault.code)) return fault.code
  return `${fault.problem}${fault.code === '' ? '' : `, ${fault.code}`}. ${fault.remedy.replace(/\.$/, '')}`
}
