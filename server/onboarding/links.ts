import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { customerById } from '../store/customers/customers.ts'
import { write } from '../store/engine/write.ts'
import { startAttempt } from '../store/onboarding/attempts.ts'
import { type ConsentLink, issueLink } from '../store/onboarding/links.ts'
import { findLinkObstacle } from './link-obstacle.ts'

/**
 * Issues a consent link for a customer, pinned to its expected tenant, and with it the classic link of the original
 * documentation.
 * @returns both addresses; neither can ever be shown again
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED, and whatever `findLinkObstacle` finds
 */
export async function issueConsentLink(
  portal: Portal,
  actor: Actor & { kind: 'operator' },
  request: { customerId: string; days: number },
): Promise<{ link: ConsentLink; url: string; classicUrl: string }> {
  const { db, config, microsoft } = portal
  const now = portal.now()
  return write(db, async (tx) => {
    const customer = await customerById(tx, request.customerId)
    if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
    const obstacle = await findLinkObstacle({ ...portal, db: tx })
    if (obstacle) throw obstacle
    const { link, token } = await issueLink(tx, actor, {
      customerId: customer.id,
      pinnedTenantId: customer.expectedTenantId,
      pinnedDomain: customer.expectedDomain,
      days: request.days,
      now,
    })
    const { state } = await startAttempt(tx, {
      linkId: link.id,
      customerId: customer.id,
      kind: 'classic',
      browser: null,
      pinnedTenantId: link.pinnedTenantId,
      now,
      expiresAt: new Date(link.expiresAt),
    })
    return {
      link,
      url: `${config.publicUrl}/join/${token}`,
      classicUrl: microsoft.classicConsentUrl({ state }),
    }
  })
}
