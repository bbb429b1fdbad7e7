import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { holdTenant } from './tenants.ts'

/** An operator paused the reading of every tenant. */
export interface Pause {
  at: string
  by: string
}

type Operator = Actor & { kind: 'operator' }

export async function readPause(db: Database): Promise<Pause | null> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', 'pause').executeTakeFirst()
  return row ? (JSON.parse(row.value) as Pause) : null
}

/** Nothing is read, and no access is checked again, until it is resumed. What was paused already stays so. */
export async function pauseEverything(db: Database, actor: Operator, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const value = JSON.stringify({ at: now.toISOString(), by: actor.name } satisfies Pause)
    const paused = await tx
      .insertInto('settings')
      .values({ name: 'pause', value, changed_at: now.toISOString() })
      .onConflict((oc) => oc.column('name').doNothing())
      .executeTakeFirst()
    if (paused.numInsertedOrUpdatedRows === 0n) return
    await recordAudit(tx, actor, { action: 'reading.paused', at: now })
  })
}

export async function resumeEverything(db: Database, actor: Operator, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const result = await tx.deleteFrom('settings').where('name', '=', 'pause').executeTakeFirst()
    if (result.numDeletedRows > 0n) await recordAudit(tx, actor, { action: 'reading.resumed', at: now })
  })
}

/**
 * Stops reading one tenant. A sync run under way loses its right to write; its stored pages stay.
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED
 */
export async function pauseTenant(db: Database, actor: Operator, tenantId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const tenant = await holdTenant(tx, tenantId)
    if (tenant.accessState === 'offboarded') throw new PortalError('CUSTOMER_OFFBOARDED')
    if (tenant.pausedAt !== null) return
    await tx
      .updateTable('tenants')
      .set((eb) => ({
        paused_at: now.toISOString(),
        paused_by: actor.name,
        sync_fence: eb('sync_fence', '+', 1),
        check_fence: eb('check_fence', '+', 1),
        sync_lease_until: null,
        check_lease_until: null,
        sync_started_at: null,
      }))
      .where('tenant_id', '=', tenantId)
      .execute()
    await tx
      .updateTable('syncs')
      .set({ finished_at: now.toISOString(), outcome: 'paused' })
      .where('tenant_id', '=', tenantId)
      .where('finished_at', 'is', null)
      .execute()
    await recordAudit(tx, actor, { action: 'tenant.paused', at: now, customerId: tenant.customerId, tenantId })
  })
}

/** Reading goes on where it stood, at once. @throws PortalError NOT_FOUND */
export async function resumeTenant(db: Database, actor: Operator, tenantId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const tenant = await holdTenant(tx, tenantId)
    if (tenant.pausedAt === null) return
    const at = now.toISOString()
    await tx
      .updateTable('tenants')
      .set({
        paused_at: null,
        paused_by: null,
        ...(tenant.nextCheckAt === null ? {} : { next_check_at: at }),
        ...(tenant.accessState === 'active' ? { next_sync_at: at } : {}),
      })
      .where('tenant_id', '=', tenantId)
      .execute()
    await recordAudit(tx, actor, { action: 'tenant.resumed', at: now, customerId: tenant.customerId, tenantId })
  })
}
