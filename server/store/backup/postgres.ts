import { spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { libpqEnvironment } from '../../config/database-address.ts'
import { programEnvironment } from '../../config/environment.ts'
import { postgresClient } from '../engine/postgres.ts'
import { BackupError, type Contents, compareRows, HeldError, keyOf, type Manifest } from './manifest.ts'

export const dumpName = 'muster.dump'

/**
 * Dumps the database as it stands at one moment, whoever writes meanwhile, reads the dump whole and counts what is in it.
 * @throws BackupError; what the driver says of a server that cannot be had
 */
export async function backUpPostgres(databaseUrl: string, dump: string): Promise<Contents> {
  return connected(databaseUrl, async (client) => {
    // The dump and the counts are of the same moment.
    await client.query('begin isolation level repeatable read read only')
    const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id')
    const contents = await contentsOf(client)
    if (contents.migrations.length === 0) throw new BackupError('The database is empty: there is nothing to back up.')
    const words = ['--format=custom', '--no-owner', '--no-privileges', `--snapshot=${rows[0]?.id}`, `--file=${dump}`]
    await run('pg_dump', words, databaseUrl)
    chmodSync(dump, 0o600)
    await client.query('commit')
    compareRows(contents.rows, await rowsIn(dump), 'The dump')
    return contents
  })
}

/**
 * Puts a dump in the place of what the database holds, whole or not at all.
 * @throws BackupError where anybody else is connected, where it holds something that may not be replaced, or what is there afterwards is not what the manifest says
 */
export async function restorePostgres(
  databaseUrl: string,
  dump: string,
  { manifest, replace }: { manifest: Manifest; replace: boolean },
): Promise<void> {
  compareRows(manifest.rows, await rowsIn(dump), 'The dump')
  await connected(databaseUrl, async (client) => {
    const others = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
    const n = others.rows[0]?.n ?? 0
    if (n > 0) {
      const who = n === 1 ? 'One other connection is' : `${n} other connections are`
      throw new BackupError(`${who} open to this database. Stop every Muster that uses it, then run it again.`)
    }
    const { rows, migrations } = await contentsOf(client)
    if (migrations.length > 0 && !replace) {
      throw new HeldError({ customers: rows.customers ?? 0, incidents: rows.incidents ?? 0 })
    }
    const words = ['--clean', '--if-exists', '--no-owner', '--no-privileges', '--single-transaction', '--exit-on-error']
    await run('pg_restore', [...words, `--dbname=${await databaseName(client)}`, dump], databaseUrl)
    compareRows(manifest.rows, (await contentsOf(client)).rows, 'The database')
  })
}

async function connected<T>(databaseUrl: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...postgresClient(databaseUrl), connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const databaseName = async (client: pg.Client): Promise<string> =>
  (await client.query<{ name: string }>('select current_database() as name')).rows[0]?.name ?? ''

async function contentsOf(client: pg.Client): Promise<Contents> {
  const { rows: tables } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' order by tablename",
  )
  const names = tables.map(({ name }) => name)
  const rows: Record<string, number> = {}
  for (const name of names) {
    const counted = await client.query<{ n: string }>(
      `select count(*) as n from public.${client.escapeIdentifier(name)}`,
    )
    rows[name] = Number(counted.rows[0]?.n)
  }
  const texts = async (table: string, text: string): Promise<string[]> =>
    names.includes(table) ? (await client.query<{ text: string }>(text)).rows.map((row) => row.text) : []
  const sealed = [
    ...(await texts('destinations', 'select sealed as text from destinations')),
    ...(await texts('settings', "select value::json ->> 'sealed' as text from settings where name = 'mail'")),
  ]
  const migrations = await texts('kysely_migration', 'select name as text from kysely_migration order by name')
  return { migrations, rows, sealedBy: [...new Set(sealed.map(keyOf))].sort() }
}

/** Reads a dump from its first byte to its last, and counts the rows of each table. */
async function rowsIn(dump: string): Promise<Record<string, number>> {
  const rows: Record<string, number> = {}
  let table: string | null = null
  await run('pg_restore', ['--data-only', '--file=-', dump], null, (line) => {
    if (table === null) {
      table = /^COPY public\."?(\w+)"? \(.*\) FROM stdin;$/.exec(line)?.[1] ?? null
      if (table !== null) rows[table] = 0
    } else if (line === '\\.') table = null
    else rows[table] = (rows[table] ?? 0) + 1
  })
  return rows
}

/**
 * Runs a program of PostgreSQL's. The password is in its environment: everybody on the machine sees its words.
 * @throws BackupError with what it said, when it fails or is not there
 */
async function run(
  program: 'pg_dump' | 'pg_restore',
  words: readonly string[],
  databaseUrl: string | null,
  line: (text: string) => void = () => undefined,
): Promise<void> {
  const env = { ...programEnvironment(), ...(databaseUrl === null ? {} : libpqEnvironment(databaseUrl)) }
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text) => {
    said = `${said}${text}`.slice(0, 2_000)
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const read = (async () => {
    for await (const text of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) line(text)
  })()
  const [code] = await Promise.all([ended, read]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new BackupError(
      `${program} is not installed: take the client programs of your server’s version (postgresql-client).`,
    )
  })
  if (code !== 0) throw new BackupError(`${program} failed: ${said.trim()}`)
}
