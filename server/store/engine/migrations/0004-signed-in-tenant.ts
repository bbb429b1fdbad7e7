import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

/**
 * Which tenant the browser of a run has signed in to. Of runs before this, those are known that ended for it and those
 * that wait for an operator; every other counts as never signed in, and is told less.
 */
export const signedInTenant: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const text = db.getExecutor().adapter instanceof PostgresAdapter ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    await run(`alter table consent_attempts add column signed_in_tenant_id ${text}`)
    await run(`update consent_attempts set signed_in_tenant_id = claimed_tenant_id
      where outcome = 'other-tenant-signed-in'
        or exists (select 1 from reviews where reviews.attempt_id = consent_attempts.id
          and reviews.tenant_id = consent_attempts.claimed_tenant_id and reviews.evidence = 'sign-in')`)
  },
}
