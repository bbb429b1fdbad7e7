import { PortalError } from '../errors.ts'
import type { NamedTenant } from '../model/access.ts'
import type { Portal } from '../portal.ts'
import { getCustomer } from '../store/customers/customers.ts'
import { write } from '../store/engine/write.ts'
import { bindClaimed, type OperatorActor, recordRefused } from './binding.ts'
import type { BindingEnd } from './judge-binding.ts'

/**
 * The tenant an operator names, by ID or by a domain that Microsoft's discovery resolves.
 * @throws PortalError TENANT_UNKNOWN; Refusal when Microsoft cannot be asked
 */
export async function resolveExpected(portal: Portal, typed: string): Promise<NamedTenant> {
  const tenant = await portal.microsoft.resolveTenant(typed)
  if (!tenant) throw new PortalError('TENANT_UNKNOWN')
  return tenant
}

/**
 * Takes on a tenant that consented long ago, by ID or domain; it is proven like any other.
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED, TENANT_UNKNOWN, TENANT_TAKEN, TENANT_IS_PARTNER
 */
export async function enterTenant(
  portal: Portal,
  actor: OperatorActor,
  customerId: string,
  domainOrId: string,
): Promise<string> {
  const { tenantId, region } = await resolveExpected(portal, domainOrId)
  const now = portal.now()
  // A refusal is an answer, not an error, until it is recorded: thrown inside, it would take its own witness back.
  const verdict = await write(portal.db, async (tx) => {
    const customer = await getCustomer(tx, customerId)
    if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
    const entered = await bindClaimed(tx, actor, {
      tenantId,
      customerId,
      linkId: null,
      how: 'entered',
      by: actor.name,
      pinnedTenantId: customer.expectedTenantId,
      partnerTenantId: portal.config.partnerTenantId,
      proven: false,
      region,
      now,
    })
    return entered === 'bound' ? entered : recordRefused(tx, actor, { tenantId, customerId, now }, entered)
  })
  if (verdict !== 'bound') throw refusalOf(verdict, tenantId)
  return tenantId
}

export function refusalOf(verdict: BindingEnd, tenantId: string): PortalError {
  return new PortalError(verdict === 'tenant-is-partner' ? 'TENANT_IS_PARTNER' : 'TENANT_TAKEN', {
    facts: { tenantId },
  })
}
