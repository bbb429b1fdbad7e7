import { type Kysely, type Migration, sql } from 'kysely'

/**
 * By which version of our reading a row was made of what Microsoft sent. Rows of an older one are read again from that, a
 * few at a time; the index holds those alone, so it ends empty.
 */
export const readingVersionColumn: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    await run('alter table incidents add column reading_version integer not null default 1')
    await run('create index incidents_read_before on incidents (number) where reading_version < 2')
  },
}
