import { type Kysely, type Migration, sql } from 'kysely'

/** The audit log by time, and by who, what and whom within it: each walk of a filtered page is one stretch of an index. */
export const auditFilters: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create index audit_events_at on audit_events (at, id)`.execute(db)
    await sql`create index audit_events_actor on audit_events (actor_id, at, id)`.execute(db)
    await sql`create index audit_events_action on audit_events (action, at, id)`.execute(db)
    await sql`create index audit_events_customer_at on audit_events (customer_id, at, id)`.execute(db)
    await sql`create index audit_events_request on audit_events (request_id)`.execute(db)
  },
}
