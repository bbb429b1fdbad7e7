import { sql } from 'kysely'
import { type Database, isPostgres } from '../../server/store/engine/dialect.ts'

/** Every row of every table but those named, as text: where a secret would be found by whoever gets hold of a copy. */
export async function dumpOf(db: Database, but: readonly string[] = []): Promise<string> {
  const tables = isPostgres(db)
    ? await sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db)
    : await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db)
  const rows: unknown[] = []
  for (const { name } of tables.rows.filter((table) => !but.includes(table.name)))
    rows.push(name, (await sql`select * from ${sql.table(name)}`.execute(db)).rows)
  return JSON.stringify(rows)
}
