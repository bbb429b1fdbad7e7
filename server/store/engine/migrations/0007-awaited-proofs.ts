import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

type Anything = Kysely<unknown>

/**
 * What a browser says of a tenant waits for a proof, in a table of its own, and binds nothing. The version before bound the
 * tenant and completed the link when the browser came back: where no proof followed, both are taken back.
 */
export const awaitedProofs: Migration = {
  async up(db: Anything): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)

    await run(`create table awaited_proofs (tenant_id ${text} not null, since ${text} not null,
      claimed_at ${text} not null, claims integer not null default 1, tries integer not null default 0, next_at ${text} not null, last_at ${text},
      last_code ${text}, primary key (tenant_id))`)
    await run('create index awaited_proofs_due on awaited_proofs (next_at)')
    for (const column of ['evidence', 'person']) await run(`alter table consent_attempts add column ${column} ${text}`)
    await run(`create index consent_attempts_awaiting on consent_attempts (claimed_tenant_id, returned_at)
      where outcome in ('awaiting-proof', 'unproven')`)

    const unproven = `select tenant_id from tenants where consent_proven_at is null
      and bound_how in ('pinned', 'sign-in') and access_state in ('proving', 'unproven')`
    const reopened = `consent_attempts.outcome = 'bound' and consent_attempts.bound_tenant_id in (${unproven})`
    await run(`update consent_links set completed_at = null, next_probe_at =
        case when pinned_tenant_id is null then null else completed_at end
      where completed_at is not null and withdrawn_at is null
        and (id in (select link_id from consent_attempts where ${reopened}) or pinned_tenant_id in (${unproven}))
        and not exists (select 1 from consent_links as later
          where later.customer_id = consent_links.customer_id and later.issued_at > consent_links.issued_at)`)
    const proving = `exists (select 1 from tenants where tenant_id = consent_attempts.bound_tenant_id
      and access_state = 'proving')`
    await run(`update consent_attempts set
        evidence = (select case bound_how when 'sign-in' then 'sign-in' else 'callback' end from tenants
          where tenant_id = consent_attempts.bound_tenant_id),
        person = (select nullif(bound_by, '') from tenants where tenant_id = consent_attempts.bound_tenant_id),
        finished_at = case when ${proving} then null else finished_at end,
        outcome = case when ${proving} then 'awaiting-proof' else 'unproven' end,
        claimed_tenant_id = bound_tenant_id, bound_tenant_id = null
      where ${reopened}`)
    await run(`insert into awaited_proofs (tenant_id, since, claimed_at, tries, next_at, last_at)
      select tenant_id, coalesce(proving_since, bound_at), coalesce(proving_since, bound_at), check_attempts,
        coalesce(next_check_at, bound_at), last_check_at
      from tenants where tenant_id in (${unproven}) and access_state = 'proving'`)
    const gone = (await sql<{ tenant_id: string }>`${sql.raw(unproven)}`.execute(db)).rows
    for (const { tenant_id } of gone) {
      await sql`delete from access_checks where tenant_id = ${tenant_id}`.execute(db)
      await sql`delete from tenants where tenant_id = ${tenant_id}`.execute(db)
    }
  },
}
