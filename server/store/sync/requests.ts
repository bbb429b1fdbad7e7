import { PortalError } from '../../errors.ts'
import { day } from '../../time.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { readPause } from '../tenants/pauses.ts'
import { getTenant, holdTenant } from '../tenants/tenants.ts'

/**
 * "Refresh now". During a sync run it is remembered: the tenant is due again right after.
 * @throws PortalError NOT_FOUND; TENANT_PAUSED, READING_PAUSED; CONFLICT for a tenant that cannot be read
 */
export async function requestSync(db: Database, actor: Actor, tenantId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const tenant = await holdTenant(tx, tenantId)
    if (tenant.accessState !== 'active') throw new PortalError('CONFLICT')
    if (tenant.pausedAt !== null) throw new PortalError('TENANT_PAUSED')
    if ((await readPause(tx)) !== null) throw new PortalError('READING_PAUSED')
    const at = now.toISOString()
    const due = tenant.notBefore !== null && tenant.notBefore > at ? tenant.notBefore : at
    await tx.updateTable('tenants').set({ next_sync_at: due }).where('tenant_id', '=', tenantId).execute()
    await recordAudit(tx, actor, { action: 'tenant.sync-requested', at: now, customerId: tenant.customerId, tenantId })
  })
}

/** Opening a page is no reason to ask Microsoft again within this. */
const freshFor = 30_000

/** An operator opened the tenant: it becomes due at once, unless it was read a moment ago or must not be read yet. */
export async function nudgeSync(db: Database, tenantId: string, now: Date): Promise<void> {
  const at = now.toISOString()
  const recently = new Date(now.getTime() - freshFor).toISOString()
  const tenant = await getTenant(db, tenantId)
  const due =
    tenant.accessState === 'active' &&
    tenant.pausedAt === null &&
    !tenant.syncing &&
    (tenant.lastReadAt === null || tenant.lastReadAt < recently) &&
    (tenant.notBefore === null || tenant.notBefore <= at) &&
    (tenant.nextSyncAt ?? '') > at
  if (!due || (await triedSince(db, tenantId, recently))) return
  await write(db, (tx) =>
    tx
      .updateTable('tenants')
      .set({ next_sync_at: at })
      .where('tenant_id', '=', tenantId)
      .where('access_state', '=', 'active')
      .where('sync_lease_until', 'is', null)
      .where('next_sync_at', '>', at)
      .execute(),
  )
}

/** A tenant that fails is not hurried by people who look at it. */
async function triedSince(db: Database, tenantId: string, since: string): Promise<boolean> {
  const row = await db
    .selectFrom('syncs')
    .select('finished_at')
    .where('tenant_id', '=', tenantId)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return (row?.finished_at ?? '') > since
}

/** A request that no sync run took up within this is nobody's any more: rows that would say otherwise may be gone. */
const remembered = day

/** ID of the web request that asked for a sync run, until one was made for it, however late. */
export async function findRequest(db: Database, tenantId: string, now: Date): Promise<string | null> {
  const request = await db
    .selectFrom('audit_events')
    .select(['request_id', 'at'])
    .where('tenant_id', '=', tenantId)
    .where('action', '=', 'tenant.sync-requested')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!request?.request_id || request.at < new Date(now.getTime() - remembered).toISOString()) return null
  const laterRun = await db
    .selectFrom('syncs')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('started_at', '>=', request.at)
    .where('request_id', '=', request.request_id)
    .where('outcome', 'in', ['complete', 'partial', 'failed'])
    .limit(1)
    .executeTakeFirst()
  return laterRun ? null : request.request_id
}
