import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/** How often sign-ins were refused, by hour and by whom: the audit log holds one event for each row. */
export const refusedSignIns: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const text = db.getExecutor().adapter instanceof PostgresAdapter ? 'text collate "C"' : 'text'
    const table = `create table refused_sign_ins (hour ${text} not null, who ${text} not null,
      times integer not null, last_at ${text} not null, primary key (hour, who))`
    await sql`${sql.raw(table)}`.execute(db)
  },
}
