import { type CustomerName, customerNames, findExpecting } from '../store/customers/customers.ts'
import type { Database } from '../store/engine/dialect.ts'
import { everything, type Scope } from '../store/scope.ts'
import { findTenant } from '../store/tenants/tenants.ts'

/** Whose a tenant is that is expected of another: `bound` to it, `kept` for it since it left, or `expected` of it as well. */
export interface ExpectedConflict {
  kind: 'bound' | 'kept' | 'expected'
  customer: CustomerName
}

/** What is known, before anything is sent, against expecting this tenant of that customer; null for nothing. */
export async function findExpectedConflict(
  db: Database,
  tenantId: string,
  customerId: string,
): Promise<ExpectedConflict | null> {
  const owner = await findTenant(db, tenantId)
  if (owner !== null && owner.customerId !== customerId) {
    const [customer] = await customerNames(db, [owner.customerId])
    if (customer) return { kind: owner.accessState === 'offboarded' ? 'kept' : 'bound', customer }
  }
  const expecting = await findExpecting(db, tenantId, customerId)
  return expecting && { kind: 'expected', customer: expecting }
}

const spelling = (name: string) => name.normalize('NFKC').trim().replace(/\s+/gu, ' ').toLowerCase()

/** Customers of the same name, however it is capitalised, other than this one. */
export async function findNamesakes(
  db: Database,
  name: string,
  customerId: string | null,
  scope: Scope = everything,
): Promise<CustomerName[]> {
  const names = await customerNames(db, undefined, undefined, scope)
  return names.filter((one) => one.id !== customerId && spelling(one.name) === spelling(name))
}
