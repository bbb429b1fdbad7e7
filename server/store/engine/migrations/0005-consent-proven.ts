import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/** When a token with the permission first proved the consent, whatever the API said to it. */
export const consentProven: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    await run(`alter table tenants add column consent_proven_at ${postgres ? 'text collate "C"' : 'text'}`)
    await run(`update tenants set consent_proven_at = coalesce(first_active_at, (select min(at) from access_checks
      where access_checks.tenant_id = tenants.tenant_id and claims is not null and missing_roles = '[]'))`)
    // Named after the deadline and not after what Microsoft said last.
    await run(
      `update tenants set access_state = 'proving' where access_state = 'unproven' and state_code <> 'not-consented'`,
    )
  },
}
