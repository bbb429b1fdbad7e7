// The same engines, durable in the same way, with a table that keeps what came and nothing else. Used by the scripts
// that the portal is compared with; it takes drivers alone, none of the portal's code.
import { join } from 'node:path'
import Sqlite from 'libsql'
import pg from 'pg'
import type { Place } from '../test/support/places.ts'

const table = `create table if not exists bench_items (
  tenant_id text not null, id text not null, updated text, body text not null, primary key (tenant_id, id))`
const conflict = 'on conflict (tenant_id, id) do update set updated = excluded.updated, body = excluded.body'

export type PlainRow = [tenantId: string, id: string, updated: string, body: string]

export interface PlainStore {
  /** All of them in one statement and one transaction. */
  put(rows: PlainRow[]): unknown
  count(): number | Promise<number>
  close(): unknown
}

/** @param alike the text is compressed the way the portal's own table has it, where the engine leaves a choice */
export async function openPlainStore(place: Place, connections = 1, alike = false): Promise<PlainStore> {
  return place.databaseUrl === null ? openSqlite(place.dataDir) : openPostgres(place.databaseUrl, connections, alike)
}

function openSqlite(dataDir: string): PlainStore {
  const sqlite = new Sqlite(join(dataDir, 'plain.db'))
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('cache_size = -32768')
  sqlite.exec(table)
  const statements = new Map<number, Sqlite.Statement>()
  const statementOf = (count: number) => {
    const prepared = statements.get(count)
    if (prepared) return prepared
    const values = Array(count).fill('(?, ?, ?, ?)').join(', ')
    const statement = sqlite.prepare(`insert into bench_items values ${values} ${conflict}`)
    statements.set(count, statement)
    return statement
  }
  return {
    put: (rows) => statementOf(rows.length).run(rows.flat()),
    count: () => (sqlite.prepare('select count(*) as n from bench_items').get() as { n: number }).n,
    close: () => sqlite.close(),
  }
}

async function openPostgres(connectionString: string, connections: number, alike: boolean): Promise<PlainStore> {
  const pool = new pg.Pool({ connectionString, max: connections })
  await pool.query(table)
  if (alike) {
    const own = `select attcompression as how from pg_attribute where attrelid = 'incidents'::regclass and attname = 'original'`
    const { rows } = await pool.query<{ how: string }>(own)
    if (rows[0]?.how === 'l') await pool.query('alter table bench_items alter column body set compression lz4')
  }
  return {
    put(rows) {
      const values = rows.map((_, n) => `($${4 * n + 1}, $${4 * n + 2}, $${4 * n + 3}, $${4 * n + 4})`).join(', ')
      const text = `insert into bench_items values ${values} ${conflict}`
      return pool.query({ name: `put ${rows.length}`, text, values: rows.flat() })
    },
    count: async () => Number((await pool.query<{ n: string }>('select count(*) as n from bench_items')).rows[0]?.n),
    close: () => pool.end(),
  }
}
