import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/** What is kept of answers that say of themselves that they are incomplete: since when, who was silent, what is read again. */
export const partialAnswers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    for (const column of ['partial_since', 'partial_sources', 'partial_cursor']) {
      await run(`alter table tenants add column ${column} ${text}`)
    }
    await run(`alter table syncs add column partial_sources ${text}`)
    await run('alter table windows add column partial integer not null default 0')
    await run('alter table windows add column rounds integer not null default 0')
  },
}
