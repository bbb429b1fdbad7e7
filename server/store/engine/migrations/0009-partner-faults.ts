import { type Kysely, type Migration, sql } from 'kysely'

/** What troubles the partner's own app is a fault; an alarm is what people are sent. The rows stay. */
export const partnerFaults: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table alarms rename to partner_faults`.execute(db)
  },
}
