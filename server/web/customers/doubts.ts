import { findNamesakes } from '../../customers/expected.ts'
import type { FieldFault } from '../../http/forms.ts'
import type { Portal } from '../../portal.ts'
import type { Customer, CustomerName } from '../../store/customers/customers.ts'
import type { Scope } from '../../store/scope.ts'

/** What is asked about before a customer is saved as it was typed. */
export interface Doubts {
  faults: FieldFault[]
  /** Other customers of the same name, to be looked at. */
  namesakes: CustomerName[]
  /** What can be saved all the same, by a tick of this name. */
  asks: ('sameName' | 'ownTenant')[]
}

/** What was typed; a tick is `yes`. */
interface Typed {
  name: string | null
  tenantId: string | null
  sameName: boolean
  ownTenant: boolean
}

const mostNamesakes = 5

/**
 * Looks at what is new in a form alone: what was saved before stays as it is. A tenant that is another customer's is no
 * doubt of the form: the page of the saved customer tells it for as long as it is so.
 */
export async function findDoubts(
  { db, config }: Portal,
  typed: Typed,
  saved: Customer | null,
  scope: Scope,
): Promise<Doubts> {
  const { name, tenantId, sameName, ownTenant } = typed
  const doubts: Doubts = { faults: [], namesakes: [], asks: [] }
  if (name !== null && name !== saved?.name) {
    doubts.namesakes = (await findNamesakes(db, name, saved?.id ?? null, scope)).slice(0, mostNamesakes)
    const [first] = doubts.namesakes
    if (first) doubts.asks.push('sameName')
    if (first && !sameName) {
      doubts.faults.push({ field: 'name', key: 'customers.name.exists', values: { name: first.name } })
    }
  }
  if (tenantId === config.partnerTenantId && tenantId !== saved?.expectedTenantId) {
    doubts.asks.push('ownTenant')
    if (!ownTenant) doubts.faults.push({ field: 'expected', key: 'customers.expected.partner' })
  }
  return doubts
}
