import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import { holdCustomer } from '../customers/customers.ts'
import type { Tx } from '../engine/dialect.ts'
import { type BoundHow, getTenant, holdTenant, unknownCapabilities } from '../tenants/tenants.ts'

/**
 * Binds a tenant to a customer: the one row that decides whose data is shown under whose name.
 * A tenant bound before, offboarded ones included, is not bound again: `proveAnew` is the deliberate way back.
 * @returns false when it has an owner, this customer or another: nothing changed, and the transaction can go on
 * @throws PortalError CUSTOMER_OFFBOARDED, NOT_FOUND
 */
export async function bindTenant(
  tx: Tx,
  actor: Actor,
  binding: {
    tenantId: string
    customerId: string
    how: BoundHow
    by: string
    region: string | null
    consented: boolean
  },
  now: Date,
): Promise<boolean> {
  const at = now.toISOString()
  await holdServedCustomer(tx, binding.customerId)
  // Not an insert that fails: on PostgreSQL that would take the refusal's own witness with it.
  const bound = await tx
    .insertInto('tenants')
    .values({
      tenant_id: binding.tenantId,
      customer_id: binding.customerId,
      display_name: null,
      default_domain: null,
      region: binding.region,
      bound_at: at,
      bound_how: binding.how,
      bound_by: binding.by,
      consented_at: binding.consented ? at : null,
      consent_proven_at: binding.consented ? at : null,
      access_state: 'proving',
      state_code: null,
      state_since: at,
      capabilities: JSON.stringify(unknownCapabilities),
      first_active_at: null,
      offboarded_at: null,
      proving_since: at,
      next_check_at: at,
      check_lease_until: null,
      last_check_at: null,
      next_sync_at: null,
      next_window_at: null,
      sync_lease_until: null,
      sync_not_before: null,
      sync_started_at: null,
      sync_phase: 'open',
      cursor: null,
      partial_since: null,
      partial_sources: null,
      partial_cursor: null,
      last_read_at: null,
      last_read_code: null,
      last_change_at: null,
      backfilled_at: null,
      next_reconcile_at: null,
      next_deep_reconcile_at: null,
      reconciled_at: null,
      paused_at: null,
      paused_by: null,
      first_incident_at: null,
    })
    .onConflict((oc) => oc.column('tenant_id').doNothing())
    .executeTakeFirst()
  if (bound.numInsertedOrUpdatedRows !== 1n) return false
  await recordAudit(tx, actor, {
    action: binding.how === 'entered' ? 'tenant.entered' : 'tenant.bound',
    at: now,
    customerId: binding.customerId,
    tenantId: binding.tenantId,
    facts: { how: binding.how },
  })
  return true
}

/**
 * A consent for a tenant this customer already has: proven anew, at once; with `unlessActive` only where access is not there
 * already. An offboarded one comes back this way only when an operator decided so.
 * @param options.customerId whose the tenant has to be
 * @throws PortalError NOT_FOUND, TENANT_TAKEN for a tombstone or another customer's, CUSTOMER_OFFBOARDED
 */
export async function proveAnew(
  tx: Tx,
  actor: Actor,
  tenantId: string,
  now: Date,
  options: { customerId?: string; consented: boolean; revive: boolean; unlessActive?: boolean },
): Promise<void> {
  const at = now.toISOString()
  const { customerId, accessState } = await getTenant(tx, tenantId)
  if (accessState === 'offboarded' && !options.revive) throw new PortalError('TENANT_TAKEN')
  if (customerId !== (options.customerId ?? customerId)) throw new PortalError('TENANT_TAKEN')
  // Customer before tenant, as everywhere: whoever offboards takes them in that order too.
  await holdServedCustomer(tx, customerId)
  const tenant = await holdTenant(tx, tenantId)
  if (options.unlessActive && tenant.accessState === 'active') {
    if (tenant.consentedAt === null && options.consented) {
      await tx.updateTable('tenants').set({ consented_at: at }).where('tenant_id', '=', tenantId).execute()
    }
    return
  }
  await tx
    .updateTable('tenants')
    .set((eb) => ({
      ...(options.consented ? { consented_at: at } : {}),
      ...(tenant.accessState === 'active' ? {} : { access_state: 'proving', state_code: null, state_since: at }),
      offboarded_at: null,
      proving_since: at,
      check_attempts: 0,
      next_check_at: at,
      // A check under way asked before this consent: it loses its right to write.
      check_fence: eb('check_fence', '+', 1),
      check_lease_until: null,
    }))
    .where('tenant_id', '=', tenantId)
    .execute()
  await recordAudit(tx, actor, {
    action: 'tenant.check-requested',
    at: now,
    customerId: tenant.customerId,
    tenantId,
    facts: { consented: options.consented },
  })
}

async function holdServedCustomer(tx: Tx, customerId: string): Promise<void> {
  const customer = await holdCustomer(tx, customerId)
  if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
}
