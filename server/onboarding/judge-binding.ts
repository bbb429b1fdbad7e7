import type { LinkState } from '../store/onboarding/links.ts'
import type { BoundHow } from '../store/tenants/tenants.ts'

/** A verdict that ends the matter. */
export type BindingEnd = Exclude<BindingVerdict, 'allowed'>

/** All that decides whether a named tenant may become a customer's. */
export interface BindingFacts {
  tenantId: string
  customerId: string
  /**
   * On what ground: `pinned`, the tenant that an operator named beforehand · `sign-in`, the tenant of a validated ID token ·
   * `confirmed` and `entered`, an operator's decision.
   */
  how: BoundHow
  /** The tenant that was expected when the link was issued, or of the customer. */
  pinnedTenantId: string | null
  partnerTenantId: string
  /** Null where no link is concerned. */
  link: LinkState | null
  /** Whether the customer is still served. */
  served: boolean
  /** Whose the tenant is now; null for nobody's. A tombstone belongs to a customer who left. */
  owner: { customerId: string; tombstone: boolean } | null
  /** Another customer, still served, is the one this tenant was expected for. */
  expectedElsewhere: boolean
}

/**
 * `allowed`: nothing is in the way, as soon as a token proves the consent · `bound`: it is this customer's already, and the
 * link is over: there is nothing more to do · `wrong-tenant`, `tenant-is-partner`, `tenant-taken`: never · `link-withdrawn`:
 * the link or the service ended meanwhile, and an operator may look at it · `needs-decision`: an operator decides ·
 * `late`: the link was completed by something else meanwhile, and an operator decides.
 */
export type BindingVerdict =
  | 'allowed'
  | 'bound'
  | 'wrong-tenant'
  | 'tenant-is-partner'
  | 'tenant-taken'
  | 'link-withdrawn'
  | 'needs-decision'
  | 'late'

/** Whether a tenant may be bound. It looks nothing up and changes nothing: the same facts give the same verdict. */
export function judgeBinding(facts: BindingFacts): BindingVerdict {
  const objection = objectionTo(facts)
  if (facts.how === 'confirmed' || facts.how === 'entered') return objection ?? 'allowed'
  if (facts.link === 'withdrawn' || !facts.served) return 'link-withdrawn'
  if (facts.pinnedTenantId !== null && facts.pinnedTenantId !== facts.tenantId) return 'wrong-tenant'
  if (objection !== null) return objection
  if (facts.owner?.tombstone) return 'needs-decision'
  if (facts.link === 'completed') return facts.owner === null ? 'late' : 'bound'
  // Whoever signed in belongs to the tenant, but the link may have been forwarded from one customer to another.
  if (facts.how === 'sign-in' && facts.owner === null && facts.expectedElsewhere) return 'needs-decision'
  return 'allowed'
}

/** Why a tenant can never be this customer's, whoever says so. */
export function objectionTo({
  tenantId,
  customerId,
  pinnedTenantId,
  partnerTenantId,
  owner,
}: Pick<BindingFacts, 'tenantId' | 'customerId' | 'pinnedTenantId' | 'partnerTenantId' | 'owner'>):
  | 'tenant-is-partner'
  | 'tenant-taken'
  | null {
  if (tenantId === partnerTenantId && pinnedTenantId !== tenantId) return 'tenant-is-partner'
  return owner !== null && owner.customerId !== customerId ? 'tenant-taken' : null
}
