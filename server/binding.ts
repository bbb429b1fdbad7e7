import { PortalError } from './errors.ts'
import type { Portal } from './portal.ts'
import { recordOutcome } from './store/attempts.ts'
import { type Actor, muster, recordAudit } from './store/audit.ts'
import { bindTenant, proveAnew } from './store/bindings.ts'
import { customerById, isExpectedElsewhere } from './store/customers.ts'
import { type Tx, write } from './store/database.ts'
import { isTenantId } from './store/identifiers.ts'
import { type ConsentLink, completeLink, linkById, linkState } from './store/links.ts'
import { decideReview, reviewById } from './store/reviews.ts'
import { type BoundHow, findTenant, reinstateCustomer } from './store/tenants.ts'

/** A tenant that somebody or something says belongs to a customer, and the ground for believing it. */
export interface Binding {
  tenantId: string
  customerId: string
  linkId: string | null
  how: BoundHow
  /** Who proved or decided it, for display; empty when nobody is known by name. */
  by: string
  pinnedTenantId: string | null
  partnerTenantId: string
  /** Whether a consent was just given, as opposed to long ago. */
  consented: boolean
  region?: string | null
  now: Date
}

export type BindingVerdict =
  | 'bound'
  | 'wrong-tenant'
  | 'tenant-taken'
  | 'tenant-is-partner'
  /** A tombstone, or ground that is not enough: an operator decides. */
  | 'needs-decision'

/**
 * The only door to a binding. Bound when the tenant is the pinned one, or proven by a sign-in, or decided by an
 * operator; refused, recorded and nothing changed when it is another than the pinned one, another customer's, or the
 * partner's own by mistake.
 */
export async function bindClaimed(tx: Tx, actor: Actor, binding: Binding): Promise<BindingVerdict> {
  const decided = binding.how === 'confirmed' || binding.how === 'entered'
  if (!decided && binding.pinnedTenantId !== null && binding.pinnedTenantId !== binding.tenantId) {
    return recordRefused(tx, actor, binding, 'wrong-tenant')
  }
  const objection = await objectionTo(tx, binding)
  if (objection) return recordRefused(tx, actor, binding, objection)
  // Whoever signed in belongs to the tenant, but the link may have been forwarded from one customer to another.
  if (binding.how === 'sign-in' && (await isExpectedElsewhere(tx, binding.tenantId, binding.customerId))) {
    return 'needs-decision'
  }
  const known = await findTenant(tx, binding.tenantId)
  if (known) {
    if (known.accessState === 'offboarded' && !decided) return 'needs-decision'
    await proveAnew(tx, actor, binding.tenantId, binding.now, { consented: binding.consented, revive: decided })
  } else {
    await bindTenant(
      tx,
      actor,
      {
        tenantId: binding.tenantId,
        customerId: binding.customerId,
        how: binding.how,
        by: binding.by,
        region: binding.region ?? null,
        consented: binding.consented,
      },
      binding.now,
    )
  }
  if (binding.linkId !== null) await completeLink(tx, actor, binding.linkId, binding.now)
  return 'bound'
}

type Claimed = Pick<Binding, 'tenantId' | 'customerId' | 'pinnedTenantId' | 'partnerTenantId' | 'now'>

/** Why a tenant can never be this customer's, whoever says so. */
export async function objectionTo(tx: Tx, claimed: Claimed): Promise<'tenant-taken' | 'tenant-is-partner' | null> {
  const { tenantId, partnerTenantId, pinnedTenantId, customerId } = claimed
  if (tenantId === partnerTenantId && pinnedTenantId !== tenantId) return 'tenant-is-partner'
  const known = await findTenant(tx, tenantId)
  return known && known.customerId !== customerId ? 'tenant-taken' : null
}

/** Witnesses that a tenant was not bound, and why. @returns the verdict */
export async function recordRefused<Verdict extends BindingVerdict>(
  tx: Tx,
  actor: Actor,
  { tenantId, customerId, now }: Pick<Claimed, 'tenantId' | 'customerId' | 'now'>,
  verdict: Verdict,
): Promise<Verdict> {
  await recordAudit(tx, actor, {
    action: 'tenant.refused',
    at: now,
    customerId,
    facts: { tenantId, reason: verdict },
  })
  return verdict
}

type OperatorActor = Actor & { kind: 'operator' }

/**
 * An operator has compared tenant and customer, and binds the one to the other.
 * @throws PortalError NOT_FOUND, REVIEW_DECIDED, CUSTOMER_OFFBOARDED, TENANT_TAKEN, TENANT_IS_PARTNER: nothing changed
 */
export async function confirmReview(portal: Portal, actor: OperatorActor, reviewId: string): Promise<void> {
  const now = portal.now()
  const { customerId, attemptId, tenantId, linkId, evidence } = await reviewById(portal.db, reviewId)
  if (customerId === null) throw new PortalError('NOT_FOUND')
  let verdict = 'bound' as BindingVerdict
  try {
    await write(portal.db, async (tx) => {
      const customer = await customerById(tx, customerId)
      if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
      await decideReview(tx, actor, reviewId, 'confirmed', now)
      verdict = await bindClaimed(tx, actor, {
        tenantId,
        customerId,
        linkId,
        how: 'confirmed',
        by: actor.name,
        pinnedTenantId: customer.expectedTenantId,
        partnerTenantId: portal.config.partnerTenantId,
        consented: evidence === 'sign-in',
        now,
      })
      if (verdict !== 'bound') throw refusalOf(verdict, tenantId)
      if (attemptId !== null) await recordOutcome(tx, attemptId, 'bound', now, { boundTenantId: tenantId })
    })
  } catch (error) {
    // The decision is taken back with its transaction; that it was tried and refused is not.
    if (verdict !== 'bound')
      await write(portal.db, (tx) => recordRefused(tx, actor, { customerId, tenantId, now }, verdict))
    throw error
  }
}

/** The claim is not this customer's: nothing is bound, the tenant is left alone. @throws PortalError NOT_FOUND, REVIEW_DECIDED */
export async function dismissReview(portal: Portal, actor: OperatorActor, reviewId: string): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    const review = await decideReview(tx, actor, reviewId, 'dismissed', now)
    if (review.attemptId !== null) await recordOutcome(tx, review.attemptId, 'refused', now)
  })
}

/**
 * The tenant an operator names, by ID or by a domain that Microsoft's discovery resolves.
 * @throws PortalError TENANT_UNKNOWN; Refusal when Microsoft cannot be asked
 */
export async function resolveExpected(
  portal: Portal,
  domainOrId: string,
): Promise<{ tenantId: string; domain: string | null; region: string | null }> {
  const named = domainOrId.trim().toLowerCase()
  const identity = await portal.microsoft.resolveTenant(named)
  if (!identity) throw new PortalError('TENANT_UNKNOWN', { facts: { tenant: named.slice(0, 120) } })
  return { tenantId: identity.tenantId, domain: isTenantId(named) ? null : named, region: identity.region }
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
    const customer = await customerById(tx, customerId)
    if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
    return bindClaimed(tx, actor, {
      tenantId,
      customerId,
      linkId: null,
      how: 'entered',
      by: actor.name,
      pinnedTenantId: customer.expectedTenantId,
      partnerTenantId: portal.config.partnerTenantId,
      consented: false,
      region,
      now,
    })
  })
  if (verdict !== 'bound') throw refusalOf(verdict, tenantId)
  return tenantId
}

function refusalOf(verdict: BindingVerdict, tenantId: string): PortalError {
  return new PortalError(verdict === 'tenant-is-partner' ? 'TENANT_IS_PARTNER' : 'TENANT_TAKEN', {
    facts: { tenantId },
  })
}

/**
 * Takes an offboarding back: the customer is served again, and every tenant of it is proven anew before it is read.
 * @throws PortalError NOT_FOUND, CONFLICT when the customer is not offboarded
 */
export async function reinstate(portal: Portal, actor: OperatorActor, customerId: string): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    await customerById(tx, customerId)
    for (const tenantId of await reinstateCustomer(tx, actor, customerId, now)) {
      await proveAnew(tx, actor, tenantId, now, { consented: false, revive: true })
    }
  })
}

/**
 * Looks whether the pinned tenant of an open link has consented without coming back to us: an approval given later by
 * somebody else, a closed tab, consent from the Entra portal.
 * @returns true when it had, and is now bound
 */
export async function probePinned(portal: Portal, link: ConsentLink): Promise<boolean> {
  if (link.pinnedTenantId === null) return false
  const tenantId = link.pinnedTenantId
  if (await findTenant(portal.db, tenantId)) return false
  const evidence = await portal.microsoft.checkAccess(tenantId)
  if (evidence.capabilities.readIncidents !== 'granted') return false
  return write(portal.db, async (tx) => {
    // While Microsoft was asked, an operator may have withdrawn the link or ended the service.
    if (linkState(await linkById(tx, link.id), portal.now()) === 'withdrawn') return false
    const verdict = await bindClaimed(tx, muster, {
      tenantId,
      customerId: link.customerId,
      linkId: link.id,
      how: 'pinned',
      by: '',
      pinnedTenantId: tenantId,
      partnerTenantId: portal.config.partnerTenantId,
      consented: true,
      now: portal.now(),
    })
    return verdict === 'bound'
  })
}
