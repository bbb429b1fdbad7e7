import { sql } from 'kysely'
import { type Database, isPostgres } from '../../server/store/engine/dialect.ts'

/** What is written every 15 seconds, to see whether it can be. */
const isProbe = (row: unknown) => (row as { name?: unknown }).name === 'write-probe'

/** Every row of every table but those named, as text: where a secret would be found by whoever gets hold of a copy. */
export async function dumpOf(db: Database, but: readonly string[] = []): Promise<string> {
  const tables = isPostgres(db)
    ? await sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db)
    : await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db)
  const rows: unknown[] = []
  for (const { name } of tables.rows.filter((table) => !but.includes(table.name)))
    rows.push(
      name,
      (await sql`select * from ${sql.table(name)}`.execute(db)).rows.filter((row) => !isProbe(row)),
    )
  return JSON.stringify(rows)
}
