import { type Actor, recordAudit } from '../store/audit.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { bindTenant, proveAnew } from '../store/onboarding/bindings.ts'
import { completeLink } from '../store/onboarding/links.ts'
import type { BoundHow } from '../store/tenants/tenants.ts'
import { loadBindingFacts } from './facts.ts'
import { type BindingEnd, judgeBinding } from './judge-binding.ts'

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

/** Witnesses that a tenant was not bound by an operator's decision, and why. @returns the verdict */
export async function recordRefused<Verdict extends BindingEnd>(
  tx: Tx,
  actor: OperatorActor,
  { tenantId, customerId, now }: Pick<Binding, 'tenantId' | 'customerId' | 'now'>,
  verdict: Verdict,
): Promise<Verdict> {
  await recordAudit(tx, actor, { action: 'tenant.refused', at: now, customerId, facts: { tenantId, reason: verdict } })
  return verdict
}

export type OperatorActor = Actor & { kind: 'operator' }
