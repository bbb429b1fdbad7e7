import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import Sqlite from 'libsql'
import pg from 'pg'
import { postgresClient } from './postgres.ts'

/** Who has something that only one process may have. */
export interface Owner {
  /** The command, as a person starts it. */
  command: string
  pid: number
  host: string
  /** UTC ISO time. */
  since: string
}

/** Another process owns it; `owner` is null when it is not known which. */
export class OwnedError extends Error {
  readonly owner: Owner | null

  constructor(owner: Owner | null) {
    super('another process has it')
    this.name = 'OwnedError'
    this.owner = owner
  }
}

const ownerNow = (command: string): Owner => ({
  command,
  pid: process.pid,
  host: hostname(),
  since: new Date().toISOString(),
})

/**
 * Takes a file for this process until it lets go or ends, however it ends: SQLite's lock on `<file>.lock` is the system's,
 * and a killed process holds none. `<file>.owner` says who it is.
 * @returns lets go
 * @throws OwnedError; what the system says of a folder that cannot be written
 */
export function ownFile(file: string, command: string): () => void {
  const lock = new Sqlite(`${file}.lock`)
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    throw new OwnedError(ownerIn(`${file}.owner`))
  }
  writeFileSync(`${file}.owner`, `${JSON.stringify(ownerNow(command))}\n`, { mode: 0o600 })
  return () => lock.close()
}

function ownerIn(file: string): Owner | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    // Taken a moment ago, and not written down yet.
    return null
  }
}

/** Any two numbers that nobody else locks by. */
const databaseLock = [0x6d757374, 0x64656d6f] as const

/**
 * Takes a PostgreSQL database for this process until it lets go or ends, among processes that take it alike; a portal that
 * only uses it takes no part.
 * @returns lets go
 * @throws OwnedError; what the driver says of a database that cannot be had
 */
export async function ownDatabase(databaseUrl: string, command: string): Promise<() => Promise<void>> {
  const client = new pg.Client(postgresClient(databaseUrl))
  // A server that restarts drops the lock with the connection; processes that use the database notice by themselves.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { pid, host } = ownerNow(command)
    await client.query("select set_config('application_name', $1, false)", [`${pid}@${host} ${command}`.slice(0, 63)])
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
      ...databaseLock,
    ])
    if (!rows[0]?.taken) throw new OwnedError(await ownerOfDatabase(client))
    return () => client.end()
  } catch (error) {
    await client.end()
    throw error
  }
}

async function ownerOfDatabase(client: pg.Client): Promise<Owner | null> {
  const { rows } = await client.query<{ name: string; since: Date }>(
    `select a.application_name as name, a.backend_start as since from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.classid = $1 and l.objid = $2
       and l.database = (select oid from pg_database where datname = current_database())`,
    [...databaseLock],
  )
  const [owner] = rows
  const [, pid, host = '', command = ''] = /^(\d+)@(\S+) (.*)$/.exec(owner?.name ?? '') ?? []
  return owner && pid !== undefined ? { command, pid: Number(pid), host, since: owner.since.toISOString() } : null
}
