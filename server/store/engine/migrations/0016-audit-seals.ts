import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/** Who sealed what of the audit log, in a table of its own: writing an event waits for none of it. */
export const auditSeals: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const whole = postgres ? 'bigint' : 'integer'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    await run(`create table audit_seals (sequence ${whole} not null, event_id ${whole} not null, key_id ${text} not null,
      mac ${text} not null, previous ${text} not null, primary key (sequence))`)
    await run('create unique index audit_seals_event on audit_seals (event_id)')
    await run(`create table audit_sealing (id ${text} not null, next_at ${text}, lease_until ${text},
      fence integer not null default 0, mark ${whole}, holders ${text}, told_at ${text}, told_sequence ${whole},
      primary key (id))`)
    await run("insert into audit_sealing (id, next_at) values ('audit', '1970-01-01T00:00:00.000Z')")
  },
}
