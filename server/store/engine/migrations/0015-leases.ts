import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/**
 * Probes of links, awaited proofs, the probe of the partner's credential and the look at its registration are claimed like
 * all other due work: each row has a lease and a fence beside its due time.
 */
export const leases: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    for (const [table, prefix] of [
      ['consent_links', 'probe_'],
      ['awaited_proofs', ''],
      ['partner_faults', 'probe_'],
    ]) {
      await run(`alter table ${table} add column ${prefix}lease_until ${text}`)
      await run(`alter table ${table} add column ${prefix}fence integer not null default 0`)
    }
    await run(`alter table partner_faults add column next_probe_at ${text}`)
    // A fault that stands was tried when it was last seen: it may be tried again at once.
    await run('update partner_faults set next_probe_at = seen_at')
    await run(`create table chores (name ${text} not null, due_at ${text}, lease_until ${text},
      fence integer not null default 0, primary key (name))`)
  },
}
