import type { Selectable } from 'kysely'
import type { Database } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { everything, type Scope, within } from '../scope.ts'
import type { Tenant } from './tenants.ts'

/** What of a tenant says whether it is read, and how lately. */
export type Sight = Pick<
  Tenant,
  'accessState' | 'firstActiveAt' | 'lastReadAt' | 'syncFailures' | 'partialSince' | 'pausedAt'
>

export const sightColumns = [
  'access_state',
  'first_active_at',
  'last_read_at',
  'sync_failures',
  'partial_since',
  'paused_at',
] as const satisfies (keyof Schema['tenants'])[]

/** The columns above, by the names that the rest of Muster uses. */
export const sightOf = (row: Pick<Selectable<Schema['tenants']>, (typeof sightColumns)[number]>): Sight => ({
  accessState: row.access_state as Tenant['accessState'],
  firstActiveAt: row.first_active_at,
  lastReadAt: row.last_read_at,
  syncFailures: row.sync_failures,
  partialSince: row.partial_since,
  pausedAt: row.paused_at,
})

/** What a list of all tenants is sorted, filtered and searched by. */
export type TenantOutline = Sight & Pick<Tenant, 'tenantId' | 'customerId' | 'displayName' | 'defaultDomain'>

/** Every tenant in outline. No state leaves one out: a failing tenant never drops off a list. */
export async function outlineTenants(db: Database, scope: Scope = everything): Promise<TenantOutline[]> {
  const rows = await db
    .selectFrom('tenants')
    .where(within(db, scope, 'customer_id'))
    .select(['tenant_id', 'customer_id', 'display_name', 'default_domain'])
    .select(sightColumns)
    .execute()
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    displayName: row.display_name,
    defaultDomain: row.default_domain,
    ...sightOf(row),
  }))
}
