import { type Actor, recordAudit } from '../store/audit.ts'
import { customerById, isExpectedElsewhere } from '../store/customers/customers.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { bindTenant, proveAnew } from '../store/onboarding/bindings.ts'
import { completeLink, linkById, linkState, recordVisitorAudit } from '../store/onboarding/links.ts'
import { type BoundHow, findTenant } from '../store/tenants/tenants.ts'
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

export type OperatorActor = Actor & { kind: 'operator' }
