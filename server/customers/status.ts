import type { Customer } from '../store/customers/customers.ts'
import type { ConsentAttempt } from '../store/onboarding/attempts.ts'
import { type ConsentLink, linkState } from '../store/onboarding/links.ts'
import { blindSince } from '../store/tenants/blind.ts'
import type { TenantOutline } from '../store/tenants/outline.ts'
import type { AccessState, Tenant } from '../store/tenants/tenants.ts'
import { hour } from '../time.ts'

/** Where a customer stands, in one word: what the list of customers shows and filters by. */
export type CustomerStatus =
  | 'offboarded'
  | 'review'
  | 'blind'
  | 'paused'
  | 'reading'
  | Exclude<AccessState, 'offboarded'>
  | 'claimed'
  | 'declined'
  | 'at-microsoft'
  | 'opened'
  | 'waiting'
  | 'expired'
  | 'withdrawn'
  | 'not-invited'

/** Trouble before progress: the worst of several tenants speaks for the customer. */
const worstFirst: readonly AccessState[] = [
  'revoked',
  'gone',
  'disabled',
  'blocked',
  'limited',
  'unlicensed',
  'unproven',
  'proving',
  'active',
]

/** Outcomes with which a run ended without access. */
export const refusedOutcomes = new Set<ConsentAttempt['outcome']>([
  'declined',
  'not-admin',
  'wrong-tenant',
  'unlicensed',
  'tenant-taken',
  'tenant-is-partner',
  'other-tenant-signed-in',
  'sign-in-failed',
  'misconfigured',
  'link-withdrawn',
  'late',
  'mangled',
  'refused',
  'unproven',
])

/** What decides where a customer stands. */
interface StatusFacts {
  customer: Customer
  tenants: readonly TenantOutline[]
  /** The newest. */
  link: ConsentLink | null
  /** The run through Microsoft that moved last. */
  attempt: ConsentAttempt | null
  /** How many are open. */
  reviews: number
}

export function statusOf(facts: StatusFacts, now: Date): CustomerStatus {
  if (facts.customer.offboardedAt !== null) return 'offboarded'
  if (facts.reviews > 0) return 'review'
  const states = facts.tenants.map((tenant) => tenant.accessState)
  const worst = worstFirst.find((state) => states.includes(state))
  if (worst !== undefined && worst !== 'active' && worst !== 'offboarded') return worst
  if (worst === 'active') {
    if (facts.tenants.some((tenant) => blindSince(tenant, now) !== null)) return 'blind'
    if (facts.tenants.some(({ pausedAt }) => pausedAt !== null)) return 'paused'
    return facts.tenants.some((tenant) => tenant.accessState === 'active' && tenant.lastReadAt === null)
      ? 'reading'
      : 'active'
  }
  return statusOfLink(facts.link, facts.attempt, now)
}

/** When a customer came to stand where it stands, in UTC; null where that cannot be told. */
export function statusSince({
  standing,
  link,
  attempt,
  customer,
  tenants,
}: Omit<StatusFacts, 'reviews' | 'tenants'> & { standing: CustomerStatus; tenants: readonly Tenant[] }): string | null {
  switch (standing) {
    case 'offboarded':
      return customer.offboardedAt
    case 'waiting':
      return link?.issuedAt ?? null
    case 'opened':
      return link?.openedAt ?? null
    case 'at-microsoft':
      return link?.lastDepartedAt ?? null
    case 'review':
    case 'claimed':
    case 'declined':
      return attempt?.returnedAt ?? null
    case 'expired':
      return link?.expiresAt ?? null
    case 'withdrawn':
      return link?.withdrawnAt ?? null
    case 'not-invited':
      return customer.createdAt
    case 'reading':
      return tenants.find(({ lastReadAt }) => lastReadAt === null)?.stateSince ?? null
    case 'paused':
      return tenants.find(({ pausedAt }) => pausedAt !== null)?.pausedAt ?? null
    default:
      return tenants.find((tenant) => tenant.accessState === standing)?.stateSince ?? null
  }
}

function statusOfLink(link: ConsentLink | null, attempt: ConsentAttempt | null, now: Date): CustomerStatus {
  if (!link) return 'not-invited'
  const state = linkState(link, now)
  const current = attempt?.linkId === link.id ? attempt : null
  if (current?.outcome === 'awaiting-proof') return 'claimed'
  const away = isAway(link, current, now)
  if (current && refusedOutcomes.has(current.outcome) && !away) return 'declined'
  if (state === 'expired') return 'expired'
  if (state === 'withdrawn') return 'withdrawn'
  if (away) return 'at-microsoft'
  return link.openedAt === null ? 'waiting' : 'opened'
}

/** Milliseconds a departure speaks for the customer after another run came back refused. */
const departureCounts = hour

/** Somebody, or a machine that follows links, left for Microsoft and is not back; after a refusal only while that is fresh. */
function isAway(link: ConsentLink, current: ConsentAttempt | null, now: Date): boolean {
  if (link.lastDepartedAt === null) return false
  if (current === null) return true
  const later = link.lastDepartedAt > (current.returnedAt ?? current.startedAt)
  return later && now.getTime() - Date.parse(link.lastDepartedAt) < departureCounts
}
