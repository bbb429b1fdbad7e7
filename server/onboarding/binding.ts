import { PortalError } from '../errors.ts'
import type { NamedTenant } from '../microsoft/microsoft.ts'
import type { Portal } from '../portal.ts'
import { type Actor, recordAudit } from '../store/audit.ts'
import { customerById, isExpectedElsewhere } from '../store/customers/customers.ts'
import { type Tx, write } from '../store/engine/database.ts'
import { awaitProofOf, recordOutcome } from '../store/onboarding/attempts.ts'
import { bindTenant, proveAnew } from '../store/onboarding/bindings.ts'
import { completeLink, linkById, linkState, recordVisitorAudit } from '../store/onboarding/links.ts'
import { decideReview, reviewById } from '../store/onboarding/reviews.ts'
import { type BoundHow, findTenant, reinstateCustomer } from '../store/tenants/tenants.ts'
import { type BindingEnd, type BindingFacts, judgeBinding } from './judge.ts'

/** A tenant that a proof or an operator gives to a customer, and the ground for it. */
export interface Binding {
  tenantId: string
  customerId: string
  linkId: string | null
  how: BoundHow
  /** Who proved or decided it, for display; empty when nobody is known by name. */
  by: string
  pinnedTenantId: string | null
  partnerTenantId: string
  /** Whether a token has just proven a consent. An operator's decision proves none. */
  proven: boolean
  region?: string | null
  now: Date
}

/** What decides about a claimed tenant, as it stands in this transaction. @throws PortalError NOT_FOUND */
export async function loadBindingFacts(
  tx: Tx,
  claimed: Pick<Binding, 'tenantId' | 'customerId' | 'linkId' | 'how' | 'pinnedTenantId' | 'partnerTenantId' | 'now'>,
): Promise<BindingFacts> {
  const { tenantId, customerId, linkId } = claimed
  const owner = await findTenant(tx, tenantId)
  return {
    tenantId,
    customerId,
    how: claimed.how,
    pinnedTenantId: claimed.pinnedTenantId,
    partnerTenantId: claimed.partnerTenantId,
    link: linkId === null ? null : linkState(await linkById(tx, linkId), claimed.now),
    served: (await customerById(tx, customerId)).offboardedAt === null,
    owner: owner && { customerId: owner.customerId, tombstone: owner.accessState === 'offboarded' },
    expectedElsewhere: await isExpectedElsewhere(tx, tenantId, customerId),
  }
}

/**
 * The only door to a binding: of a tenant whose consent a token has proven, or that an operator decided on. Every
 * other verdict changes nothing.
 * @returns `bound`, or what is in the way
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED
 */
export async function bindClaimed(tx: Tx, actor: Actor, binding: Binding): Promise<BindingEnd> {
  let verdict = judgeBinding(await loadBindingFacts(tx, binding))
  if (verdict !== 'allowed') return verdict
  const { tenantId, customerId, now, proven, how, by, region = null } = binding
  const bound = await bindTenant(tx, actor, { tenantId, customerId, how, by, region, consented: proven }, now)
  if (!bound) {
    // It has an owner, before or since the look above: the row that kept this one out is what decides.
    verdict = judgeBinding(await loadBindingFacts(tx, binding))
    if (verdict !== 'allowed') return verdict
    const decided = how === 'confirmed' || how === 'entered'
    const options = { customerId, consented: proven, revive: decided, unlessActive: proven }
    await proveAnew(tx, actor, tenantId, now, options)
  }
  if (proven && binding.linkId !== null) await completeLink(tx, actor, binding.linkId, now)
  return 'bound'
}

/**
 * Witnesses that a tenant was not bound, and why; of whoever came with a link, so often an hour at most.
 * @returns the verdict
 */
export async function recordRefused<Verdict extends BindingEnd>(
  tx: Tx,
  actor: Actor,
  { tenantId, customerId, now }: Pick<Binding, 'tenantId' | 'customerId' | 'now'>,
  verdict: Verdict,
  linkId: string | null = null,
): Promise<Verdict> {
  const event = { action: 'tenant.refused', at: now, customerId, facts: { tenantId, reason: verdict } } as const
  if (linkId === null) await recordAudit(tx, actor, event)
  else await recordVisitorAudit(tx, actor, linkId, event)
  return verdict
}

type OperatorActor = Actor & { kind: 'operator' }

/**
 * An operator has compared tenant and customer, and binds the one to the other.
 * @throws PortalError NOT_FOUND, REVIEW_DECIDED, CUSTOMER_OFFBOARDED, TENANT_TAKEN, TENANT_IS_PARTNER: nothing changed
 */
export async function confirmReview(portal: Portal, actor: OperatorActor, reviewId: string): Promise<void> {
  const now = portal.now()
  const { customerId, attemptId, tenantId, linkId } = await reviewById(portal.db, reviewId)
  if (customerId === null) throw new PortalError('NOT_FOUND')
  let verdict = 'bound' as BindingEnd
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
        proven: false,
        now,
      })
      if (verdict !== 'bound') throw refusalOf(verdict, tenantId)
      // The tenant is decided on; whether it consented, a token has to show. Only then is the run over.
      if (attemptId !== null) await awaitProofOf(tx, attemptId, { tenantId, evidence: 'decision', person: actor.name })
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
    const customer = await customerById(tx, customerId)
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

function refusalOf(verdict: BindingEnd, tenantId: string): PortalError {
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
