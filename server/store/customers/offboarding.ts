import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { withdrawLinks } from '../onboarding/links.ts'
import { tenantsOf } from '../tenants/tenants.ts'

/**
 * Ends the service for a customer: reading stops at once, links are withdrawn, tenants become tombstones that nobody
 * else can bind. What was read stays.
 * @throws PortalError CUSTOMER_OFFBOARDED when it already ended
 */
export async function offboardCustomer(db: Database, actor: Actor, customerId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const at = now.toISOString()
    const ended = await tx
      .updateTable('customers')
      .set({ offboarded_at: at, updated_at: at })
      .where('id', '=', customerId)
      .where('offboarded_at', 'is', null)
      .executeTakeFirst()
    if (ended.numUpdatedRows !== 1n) throw new PortalError('CUSTOMER_OFFBOARDED')
    const tenants = await tx
      .updateTable('tenants')
      .set((eb) => ({
        access_state: 'offboarded',
        state_code: null,
        state_since: at,
        offboarded_at: at,
        next_check_at: null,
        next_sync_at: null,
        next_window_at: null,
        // A sync run under way loses its right to write.
        check_fence: eb('check_fence', '+', 1),
        sync_fence: eb('sync_fence', '+', 1),
        check_lease_until: null,
        sync_lease_until: null,
      }))
      .where('customer_id', '=', customerId)
      .returning('tenant_id')
      .execute()
    for (const { tenant_id } of tenants) {
      await recordAudit(tx, actor, { action: 'tenant.offboarded', at: now, customerId, tenantId: tenant_id })
    }
    await withdrawLinks(tx, actor, customerId, now)
    await recordAudit(tx, actor, {
      action: 'customer.offboarded',
      at: now,
      customerId,
      facts: { tenants: tenants.length },
    })
  })
}

/**
 * Takes an offboarding back. The tenants stay tombstones: they are proven anew one by one, with `proveAnew`.
 * @returns their IDs
 * @throws PortalError CONFLICT when the customer is not offboarded
 */
export async function reinstateCustomer(tx: Tx, actor: Actor, customerId: string, now: Date): Promise<string[]> {
  const back = await tx
    .updateTable('customers')
    .set({ offboarded_at: null, updated_at: now.toISOString() })
    .where('id', '=', customerId)
    .where('offboarded_at', 'is not', null)
    .executeTakeFirst()
  if (back.numUpdatedRows !== 1n) throw new PortalError('CONFLICT')
  await recordAudit(tx, actor, { action: 'customer.reinstated', at: now, customerId })
  return (await tenantsOf(tx, customerId)).map((tenant) => tenant.tenantId)
}
