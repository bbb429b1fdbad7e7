import { PortalError } from './errors.ts'
import type { Portal } from './portal.ts'
import { type AttemptOutcome, type ConsentAttempt, recordOutcome } from './store/attempts.ts'
import { type Actor, muster, recordAudit } from './store/audit.ts'
import { customerById } from './store/customers.ts'
import { type Database, type Tx, write } from './store/database.ts'
import { isTenantId } from './store/identifiers.ts'
import { type ConsentLink, completeLink } from './store/links.ts'
import { decideReview, openReview, type ReviewEvidence, type ReviewKind, reviewById } from './store/reviews.ts'
import { type BoundHow, bindTenant, findTenant, proveAnew } from './store/tenants.ts'

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
  const refuse = async (verdict: BindingVerdict) => {
    await recordAudit(tx, actor, {
      action: 'tenant.refused',
      at: binding.now,
      customerId: binding.customerId,
      facts: { tenantId: binding.tenantId, reason: verdict },
    })
    return verdict
  }
  const decided = binding.how === 'confirmed' || binding.how === 'entered'
  const deliberate = binding.pinnedTenantId === binding.tenantId
  if (!decided && binding.pinnedTenantId !== null && !deliberate) return refuse('wrong-tenant')
  if (binding.tenantId === binding.partnerTenantId && !deliberate) return refuse('tenant-is-partner')
  const known = await findTenant(tx, binding.tenantId)
  if (known && known.customerId !== binding.customerId) return refuse('tenant-taken')
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

/** Binds what an attempt has come back with, or refuses and records why; the attempt ends either way. */
export async function settleBinding(
  portal: Portal,
  actor: Actor,
  attempt: ConsentAttempt,
  claimed: Pick<Binding, 'tenantId' | 'how' | 'by'>,
): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    const verdict = await bindClaimed(tx, actor, {
      ...claimed,
      customerId: attempt.customerId,
      linkId: attempt.linkId,
      pinnedTenantId: attempt.pinnedTenantId,
      partnerTenantId: portal.config.partnerTenantId,
      consented: true,
      now,
    })
    const evidence = claimed.how === 'sign-in' ? 'sign-in' : 'callback'
    if (verdict === 'needs-decision') {
      await keepForReview(
        tx,
        actor,
        attempt,
        { kind: 'unpinned', ...claimed, evidence, person: claimed.by || null },
        now,
      )
      return
    }
    await recordOutcome(tx, attempt.id, verdict, now, {
      claimedTenantId: claimed.tenantId,
      ...(verdict === 'bound' ? { boundTenantId: claimed.tenantId } : {}),
    })
  })
}

/** Ends an attempt without a binding, in the customer's timeline as well. */
export async function settleRefusal(
  db: Database,
  actor: Actor,
  attempt: ConsentAttempt,
  outcome: AttemptOutcome,
  now: Date,
  aadsts: number | null = null,
): Promise<void> {
  await write(db, async (tx) => {
    await recordOutcome(tx, attempt.id, outcome, now, { aadsts })
    await recordAudit(tx, actor, {
      action: outcome === 'declined' ? 'attempt.declined' : 'attempt.refused',
      at: now,
      customerId: attempt.customerId,
      subjectId: attempt.id,
      facts: { outcome, aadsts },
    })
  })
}

/** Keeps a claimed tenant for an operator to decide on. The attempt that brought it waits for that decision. */
export async function keepForReview(
  db: Database,
  actor: Actor,
  attempt: ConsentAttempt,
  claimed: {
    kind: ReviewKind
    tenantId: string
    evidence: ReviewEvidence
    person?: string | null
    tenantName?: string | null
    tenantDomain?: string | null
  },
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await openReview(
      tx,
      actor,
      {
        kind: claimed.kind,
        customerId: attempt.customerId,
        linkId: attempt.linkId,
        attemptId: attempt.id,
        tenantId: claimed.tenantId,
        tenantName: claimed.tenantName ?? null,
        tenantDomain: claimed.tenantDomain ?? null,
        evidence: claimed.evidence,
        person: claimed.person ?? null,
      },
      now,
    )
    if (attempt.outcome !== 'bound')
      await recordOutcome(tx, attempt.id, 'review', now, { claimedTenantId: claimed.tenantId })
  })
}

type OperatorActor = Actor & { kind: 'operator' }

/**
 * An operator has compared tenant and customer, and binds the one to the other.
 * @throws PortalError NOT_FOUND, REVIEW_DECIDED, CUSTOMER_OFFBOARDED, TENANT_TAKEN, TENANT_IS_PARTNER: nothing changed
 */
export async function confirmReview(portal: Portal, actor: OperatorActor, reviewId: string): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    const { customerId, attemptId, tenantId, linkId, evidence } = await reviewById(tx, reviewId)
    if (customerId === null) throw new PortalError('NOT_FOUND')
    const customer = await customerById(tx, customerId)
    if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
    await decideReview(tx, actor, reviewId, 'confirmed', now)
    const verdict = await bindClaimed(tx, actor, {
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
    if (verdict !== 'bound') throw refusalOf(verdict)
    if (attemptId !== null) await recordOutcome(tx, attemptId, 'bound', now, { boundTenantId: tenantId })
  })
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
  await write(portal.db, async (tx) => {
    const customer = await customerById(tx, customerId)
    if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
    const verdict = await bindClaimed(tx, actor, {
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
    if (verdict !== 'bound') throw refusalOf(verdict)
  })
  return tenantId
}

function refusalOf(verdict: BindingVerdict): PortalError {
  return new PortalError(verdict === 'tenant-is-partner' ? 'TENANT_IS_PARTNER' : 'TENANT_TAKEN')
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
  const verdict = await write(portal.db, (tx) =>
    bindClaimed(tx, muster, {
      tenantId,
      customerId: link.customerId,
      linkId: link.id,
      how: 'pinned',
      by: '',
      pinnedTenantId: tenantId,
      partnerTenantId: portal.config.partnerTenantId,
      consented: true,
      now: portal.now(),
    }),
  )
  return verdict === 'bound'
}
