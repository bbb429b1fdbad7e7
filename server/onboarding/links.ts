import { PortalError } from '../errors.ts'
import { rolesBeyond } from '../partner/asked-permissions.ts'
import type { Portal } from '../portal.ts'
import { type Customer, type CustomerDetails, createCustomer, getCustomer } from '../store/customers/customers.ts'
import type { Database, Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { recordClassicLink } from '../store/onboarding/attempts.ts'
import { type ConsentLink, issueLink, withdrawLink } from '../store/onboarding/links.ts'
import { readAskedPermissions } from '../store/partner/asked-permissions.ts'
import { findIntroductionGap, readSettings } from '../store/partner/settings.ts'
import type { OperatorActor } from './binding.ts'

export interface IssuedLink {
  link: ConsentLink
  url: string
  /** The classic link of the original documentation. */
  classicUrl: string
}

/**
 * Issues a consent link for a customer, pinned to its expected tenant, and with it the classic link.
 * @returns both addresses; neither can ever be shown again
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED, and whatever `findLinkObstacle` finds
 */
export async function issueConsentLink(
  portal: Portal,
  actor: OperatorActor,
  request: { customerId: string; days: number },
): Promise<IssuedLink> {
  return write(portal.db, (tx) => issueFor(portal, tx, actor, request))
}

/**
 * A customer is added, and in the same step invited by a link of so many days; without one where `days` is null.
 * @throws PortalError whatever `findLinkObstacle` finds
 */
export async function registerCustomer(
  portal: Portal,
  actor: OperatorActor,
  details: CustomerDetails,
  days: number | null,
): Promise<{ customer: Customer; issued: IssuedLink | null }> {
  return write(portal.db, async (tx) => {
    const customer = await createCustomer(tx, actor, details, portal.now())
    const issued = days === null ? null : await issueFor(portal, tx, actor, { customerId: customer.id, days })
    return { customer, issued }
  })
}

/** Ends a link that is still open. One that is over, or does not exist, stays as it is. */
export async function withdrawConsentLink({ db, now }: Portal, actor: OperatorActor, linkId: string): Promise<void> {
  await write(db, (tx) => withdrawLink(tx, actor, linkId, now()))
}

async function issueFor(
  portal: Portal,
  tx: Tx,
  actor: OperatorActor,
  request: { customerId: string; days: number },
): Promise<IssuedLink> {
  const { config, microsoft } = portal
  const now = portal.now()
  const customer = await getCustomer(tx, request.customerId)
  if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
  const obstacle = await findLinkObstacle(portal, tx)
  if (obstacle) throw obstacle
  const { link, token } = await issueLink(tx, actor, {
    customerId: customer.id,
    pinnedTenantId: customer.expectedTenantId,
    pinnedDomain: customer.expectedDomain,
    days: request.days,
    now,
  })
  const state = await recordClassicLink(tx, {
    linkId: link.id,
    customerId: customer.id,
    pinnedTenantId: link.pinnedTenantId,
    now,
    expiresAt: new Date(link.expiresAt),
  })
  return {
    link,
    url: `${config.publicUrl}/join/${token}`,
    classicUrl: microsoft.classicConsentUrl({ state }),
  }
}

const mostNamed = 10

/**
 * Why no consent link can be issued for any customer now; null when nothing stands in the way. Pages show it before
 * somebody tries.
 * @returns PARTNER_NOT_INTRODUCED, PERMISSIONS_UNCONFIRMED
 */
export async function findLinkObstacle(
  portal: Pick<Portal, 'microsoft' | 'now'>,
  db: Database,
): Promise<PortalError | null> {
  const gap = findIntroductionGap(await readSettings(db))
  if (gap !== null) return new PortalError('PARTNER_NOT_INTRODUCED', { facts: { gap } })
  const beyond = rolesBeyond(portal, await readAskedPermissions(db))
  if (beyond.length === 0) return null
  const roles = beyond.slice(0, mostNamed).map(({ role }) => role)
  return new PortalError('PERMISSIONS_UNCONFIRMED', { facts: { roles: roles.join(', '), n: beyond.length } })
}
