import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/** What an Admin lets an operator see stands beside the operator, so that it is read with her on every request. */
export const operatorScopes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const text = db.getExecutor().adapter instanceof PostgresAdapter ? 'text collate "C"' : 'text'
    await sql`alter table operators add column limits ${sql.raw(text)}`.execute(db)
  },
}
