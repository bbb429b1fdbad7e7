import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

type Anything = Kysely<unknown>

/**
 * Whoever leaves for Microsoft leaves no row any more: the link counts departures, and a run is kept when it comes back.
 * Runs of the version before that are on their way stay until they are over.
 */
export const departures: Migration = {
  async up(db: Anything): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)

    await run('alter table consent_links add column departures integer not null default 0')
    await run('alter table consent_links add column noted integer not null default 0')
    for (const column of ['first_departed_at', 'last_departed_at', 'departure_noted_at', 'noted_from']) {
      await run(`alter table consent_links add column ${column} ${text}`)
    }
    for (const column of ['address_hash', 'proof_hash']) {
      await run(`alter table consent_attempts add column ${column} ${text}`)
    }
    const landings = `from consent_attempts where consent_attempts.link_id = consent_links.id and kind = 'landing'`
    await run(`update consent_links set departures = (select count(*) ${landings}),
      first_departed_at = (select min(started_at) ${landings}), last_departed_at = (select max(started_at) ${landings})
      where exists (select 1 ${landings})`)

    // A classic link that nobody has followed is no run, and a sign-in that proves a tenant is part of one.
    const returned = `where returned_at is not null and kind <> 'proof'`
    await run(`create index consent_attempts_returned on consent_attempts (customer_id, returned_at, id) ${returned}`)
    await run('drop index consent_attempts_link')
    await run('create index consent_attempts_link on consent_attempts (link_id, returned_at)')
    await run('create index consent_attempts_open on consent_attempts (expires_at) where returned_at is null')
    await run(`create index consent_attempts_ended on consent_attempts (returned_at) ${returned}`)
    await run(`create index reviews_open_customer on reviews (customer_id, created_at) where decided_at is null`)
    await run('create index reviews_attempt on reviews (attempt_id) where attempt_id is not null')
  },
}
