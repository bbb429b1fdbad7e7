import type { Config } from '../config/config.ts'
import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import { type Customer, findCustomer } from '../store/customers/customers.ts'
import { type ConsentLink, getLink } from '../store/onboarding/links.ts'
import { getReview, type Review } from '../store/onboarding/reviews.ts'
import type { OperatorLimits } from '../store/operators/limits.ts'
import type { Operator } from '../store/operators/operators.ts'
import { everything, type LimitedScope, type Scope } from '../store/scope.ts'
import { findTenant, type Tenant } from '../store/tenants/tenants.ts'
import { isNamedAdmin } from './operator.ts'

/** A request of somebody whose scope is known. */
export interface ScopedRequest {
  scope: Scope
}

const roleValue = 'Muster.Scope.'

/** The groups that the app roles of the latest sign-in name (`Muster.Scope.<group>`), as they are written there. */
export const groupsFromEntra = ({ roles }: Pick<Operator, 'roles'>): string[] =>
  roles.filter((role) => role.startsWith(roleValue)).map((role) => role.slice(roleValue.length))

/** The scope that an Admin's choice makes. */
export const scopeOfLimits = ({ customerIds, groups }: OperatorLimits): LimitedScope => ({
  customerIds,
  groups,
  groupValues: [],
})

/**
 * Whose data an operator may see, as of now: what Entra says wins over what an Admin chose in Settings; neither means
 * everything, and whoever ADMIN_USERS names is never limited.
 */
export function scopeOf(
  operator: Pick<Operator, 'oid' | 'username' | 'guest' | 'roles' | 'limits'>,
  config: Config,
): Scope {
  if (isNamedAdmin(operator, config)) return everything
  const groupValues = groupsFromEntra(operator)
  if (groupValues.length > 0) return { customerIds: [], groups: [], groupValues }
  return operator.limits === null ? everything : scopeOfLimits(operator.limits)
}

/** The customer of that ID. One that is not there and one outside the scope answer alike. @throws PortalError NOT_FOUND */
export async function customerFor({ db }: Portal, { scope }: ScopedRequest, id: string): Promise<Customer> {
  return there(await findCustomer(db, id, scope))
}

/** The tenant of that ID, in whatever case it is written. @throws PortalError NOT_FOUND */
export async function tenantFor({ db }: Portal, { scope }: ScopedRequest, id: string): Promise<Tenant> {
  return there(await findTenant(db, id.toLowerCase(), scope))
}

/** @throws PortalError NOT_FOUND */
export async function linkFor({ db }: Portal, { scope }: ScopedRequest, id: string): Promise<ConsentLink> {
  return getLink(db, id, scope)
}

/** A review of a customer; those of none belong to the whole portal. @throws PortalError NOT_FOUND */
export async function reviewFor({ db }: Portal, { scope }: ScopedRequest, id: string): Promise<Review> {
  return getReview(db, id, scope)
}

function there<T>(value: T | null): T {
  if (value === null) throw new PortalError('NOT_FOUND')
  return value
}
