// The same engines, durable in the same way, with a table that keeps what came and nothing else. Used by the scripts
// that the portal is compared with; it takes drivers alone, none of the portal's code.
import { join } from 'node:path'
import Sqlite from 'libsql'
import pg from 'pg'

const table = `create table if not exists bench_items (
  tenant_id text not null, id text not null, updated text, body text not null, primary key (tenant_id, id))`
const conflict = 'on conflict (tenant_id, id) do update set updated = excluded.updated, body = excluded.body'

/**
 * @param alike the text is compressed the way the portal's own table has it, where the engine leaves a choice
 * @returns `put(rows)`: all of them in one statement and one transaction; rows are [tenant, id, updated, body]
 */
export async function openPlainStore({ databaseUrl, dataDir }, connections = 1, alike = false) {
  return databaseUrl ? openPostgres(databaseUrl, connections, alike) : openSqlite(dataDir)
}

function openSqlite(dataDir) {
  const sqlite = new Sqlite(join(dataDir, 'plain.db'))
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('cache_size = -32768')
  sqlite.exec(table)
  const statements = new Map()
  return {
    put(rows) {
      if (!statements.has(rows.length)) {
        const values = rows.map(() => '(?, ?, ?, ?)').join(', ')
        statements.set(rows.length, sqlite.prepare(`insert into bench_items values ${values} ${conflict}`))
      }
      statements.get(rows.length).run(rows.flat())
    },
    count: () => sqlite.prepare('select count(*) as n from bench_items').get().n,
    close: () => sqlite.close(),
  }
}

async function openPostgres(connectionString, connections, alike) {
  const pool = new pg.Pool({ connectionString, max: connections })
  await pool.query(table)
  if (alike) {
    const own = `select attcompression as how from pg_attribute where attrelid = 'incidents'::regclass and attname = 'original'`
    const { how } = (await pool.query(own)).rows[0]
    if (how === 'l') await pool.query('alter table bench_items alter column body set compression lz4')
  }
  return {
    put(rows) {
      const values = rows.map((_, n) => `($${4 * n + 1}, $${4 * n + 2}, $${4 * n + 3}, $${4 * n + 4})`).join(', ')
      const text = `insert into bench_items values ${values} ${conflict}`
      return pool.query({ name: `put ${rows.length}`, text, values: rows.flat() })
    },
    count: async () => Number((await pool.query('select count(*) as n from bench_items')).rows[0].n),
    close: () => pool.end(),
  }
}
