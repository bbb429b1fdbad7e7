import { type Kysely, type Migration, sql } from 'kysely'

/** New incidents per day of some tenants are counted in an index: the sums per day are over all of them. */
export const tenantDays: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create index incidents_tenant_day on incidents (tenant_id, created_day, severity)
      where redirect_id is null`.execute(db)
  },
}
