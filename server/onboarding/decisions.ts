import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import { getCustomer } from '../store/customers/customers.ts'
import { write } from '../store/engine/write.ts'
import { awaitProofOf, recordOutcome } from '../store/onboarding/attempts.ts'
import { decideReview, getReview } from '../store/onboarding/reviews.ts'
import { bindClaimed, type OperatorActor, recordRefused } from './binding.ts'
import { refusalOf } from './by-hand.ts'
import type { BindingEnd } from './judge-binding.ts'

/**
 * An operator has compared tenant and customer, and binds the one to the other.
 * @throws PortalError NOT_FOUND, REVIEW_DECIDED, CUSTOMER_OFFBOARDED, TENANT_TAKEN, TENANT_IS_PARTNER: nothing changed
 */
export async function confirmReview(portal: Portal, actor: OperatorActor, reviewId: string): Promise<void> {
  const now = portal.now()
  const { customerId, attemptId, tenantId, linkId } = await getReview(portal.db, reviewId)
  if (customerId === null || tenantId === null) throw new PortalError('NOT_FOUND')
  let verdict = 'bound' as BindingEnd
  try {
    await write(portal.db, async (tx) => {
      const customer = await getCustomer(tx, customerId)
      if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
      await decideReview(tx, actor, reviewId, 'confirmed', now)
      verdict = await bindClaimed(tx, actor, {
        tenantId,
        customerId,
        linkId,
        how: 'confirmed',
        by: actor.name,
        pinnedTenantId: customer.expectedTenantId,
        partnerTenantId: portal.config.partnerTenantId,
        proven: false,
        now,
      })
      if (verdict !== 'bound') throw refusalOf(verdict, tenantId)
      // The tenant is decided on; whether it consented, a token has to show. Only then is the run over.
      if (attemptId !== null) await awaitProofOf(tx, attemptId, { tenantId, evidence: 'decision', person: actor.name })
    })
  } catch (error) {
    // The decision is taken back with its transaction; that it was tried and refused is not.
    if (verdict !== 'bound')
      await write(portal.db, (tx) => recordRefused(tx, actor, { customerId, tenantId, now }, verdict))
    throw error
  }
}

/** The claim is not this customer's: nothing is bound, the tenant is left alone. @throws PortalError NOT_FOUND, REVIEW_DECIDED */
export async function dismissReview(portal: Portal, actor: OperatorActor, reviewId: string): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    const review = await decideReview(tx, actor, reviewId, 'dismissed', now)
    if (review.attemptId !== null) await recordOutcome(tx, review.attemptId, 'refused', now)
  })
}
