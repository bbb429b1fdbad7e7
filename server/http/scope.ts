import type { Config } from '../config/config.ts'
import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import { type Customer, findCustomer } from '../store/customers/customers.ts'
import { type ConsentLink, linkById } from '../store/onboarding/links.ts'
import { type Review, reviewById } from '../store/onboarding/reviews.ts'
import type { Operator } from '../store/operators/operators.ts'
import { everything, type Scope } from '../store/scope.ts'
import { findTenant, type Tenant } from '../store/tenants/tenants.ts'
import { isNamedAdmin } from './operator.ts'

/** A request of somebody whose scope is known. */
export interface ScopedRequest {
  scope: Scope
}

const roleValue = 'Muster.Scope.'

/**
 * Whose data an operator may see, as of now. The app roles of the latest sign-in name groups (`Muster.Scope.<group>`); none
 * of them means everything, and whoever ADMIN_USERS names is never limited.
 */
export function scopeOf(operator: Pick<Operator, 'oid' | 'username' | 'guest' | 'roles'>, config: Config): Scope {
  if (isNamedAdmin(operator, config)) return everything
  const values = operator.roles.filter((role) => role.startsWith(roleValue)).map((role) => role.slice(roleValue.length))
  return values.length === 0 ? everything : { customerIds: [], groups: [], groupValues: values }
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
  return linkById(db, id, scope)
}

/** A review of a customer; those of none belong to the whole portal. @throws PortalError NOT_FOUND */
export async function reviewFor({ db }: Portal, { scope }: ScopedRequest, id: string): Promise<Review> {
  return reviewById(db, id, scope)
}

function there<T>(value: T | null): T {
  if (value === null) throw new PortalError('NOT_FOUND')
  return value
}
