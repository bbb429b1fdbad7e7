import type { OperatorActor } from '../onboarding/binding.ts'
import type { Portal } from '../portal.ts'
import { getCustomer } from '../store/customers/customers.ts'
import { reinstateCustomer } from '../store/customers/offboarding.ts'
import { write } from '../store/engine/write.ts'
import { proveAnew } from '../store/onboarding/bindings.ts'

/**
 * Takes an offboarding back: the customer is served again, and every tenant of it is proven anew before it is read.
 * @throws PortalError NOT_FOUND, CONFLICT when the customer is not offboarded
 */
export async function reinstate(portal: Portal, actor: OperatorActor, customerId: string): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    await getCustomer(tx, customerId)
    for (const tenantId of await reinstateCustomer(tx, actor, customerId, now)) {
      await proveAnew(tx, actor, tenantId, now, { consented: false, revive: true })
    }
  })
}
