import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import { day, hour } from '../../time.ts'
import { type Actor, recordAudit } from '../audit.ts'
import { holdCustomer } from '../customers/customers.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { digest, newId, newReference, newToken } from '../identifiers.ts'
import { everything, type Scope, within } from '../scope.ts'

export type LinkState = 'issued' | 'withdrawn' | 'expired' | 'completed'

export interface ConsentLink {
  id: string
  customerId: string
  reference: string
  pinnedTenantId: string | null
  pinnedDomain: string | null
  issuedAt: string
  issuedBy: string
  expiresAt: string
  withdrawnAt: string | null
  completedAt: string | null
  openedAt: string | null
  openedCount: number
  /** How often somebody, or a machine, left for Microsoft with it, and when first and last, in UTC. */
  departures: number
  firstDepartedAt: string | null
  lastDepartedAt: string | null
}

/** Where a link stands; a completed one stays completed when its days are over. */
export function linkState(link: ConsentLink, now: Date): LinkState {
  if (link.completedAt !== null) return 'completed'
  if (link.withdrawnAt !== null) return 'withdrawn'
  return link.expiresAt <= now.toISOString() ? 'expired' : 'issued'
}

/**
 * Issues a link; the ones still open of that customer are withdrawn, so that one link is in force at a time.
 * @returns the link, and its token, which is kept as a hash alone and can never be shown again.
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED
 */
export async function issueLink(
  tx: Tx,
  actor: Actor,
  request: {
    customerId: string
    pinnedTenantId: string | null
    pinnedDomain: string | null
    days: number
    now: Date
  },
): Promise<{ link: ConsentLink; token: string }> {
  const { customerId, now } = request
  if ((await holdCustomer(tx, customerId)).offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
  await withdrawLinks(tx, actor, customerId, now)
  const token = newToken()
  const id = newId()
  const expiresAt = new Date(now.getTime() + request.days * day)
  await tx
    .insertInto('consent_links')
    .values({
      id,
      customer_id: customerId,
      token_hash: digest(token),
      reference: newReference(),
      pinned_tenant_id: request.pinnedTenantId,
      pinned_domain: request.pinnedDomain,
      issued_at: now.toISOString(),
      issued_by: actor.kind === 'operator' ? actor.name : '',
      expires_at: expiresAt.toISOString(),
      withdrawn_at: null,
      completed_at: null,
      opened_at: null,
      next_probe_at: request.pinnedTenantId === null ? null : new Date(now.getTime() + hour).toISOString(),
      probe_lease_until: null,
      first_departed_at: null,
      last_departed_at: null,
      departure_noted_at: null,
      noted_from: null,
    })
    .execute()
  await recordAudit(tx, actor, {
    action: 'link.issued',
    at: now,
    customerId,
    subjectId: id,
    facts: { expiresAt: expiresAt.toISOString(), pinned: request.pinnedDomain ?? request.pinnedTenantId },
  })
  return { link: await getLink(tx, id), token }
}

/** Ends a link that is still open. A link that is not, or does not exist, stays as it is. */
export async function withdrawLink(tx: Tx, actor: Actor, id: string, now: Date): Promise<void> {
  const withdrawn = await tx
    .updateTable('consent_links')
    .set({ withdrawn_at: now.toISOString(), next_probe_at: null })
    .where('id', '=', id)
    .where('withdrawn_at', 'is', null)
    .where('completed_at', 'is', null)
    .returning('customer_id')
    .executeTakeFirst()
  if (!withdrawn) return
  await recordAudit(tx, actor, {
    action: 'link.withdrawn',
    at: now,
    customerId: withdrawn.customer_id,
    subjectId: id,
  })
}

/** The first consent that a token proves completes the link; a second completion changes nothing. */
export async function completeLink(tx: Tx, actor: Actor, id: string, now: Date): Promise<void> {
  const completed = await tx
    .updateTable('consent_links')
    .set({ completed_at: now.toISOString(), next_probe_at: null })
    .where('id', '=', id)
    .where('completed_at', 'is', null)
    .returning('customer_id')
    .executeTakeFirst()
  if (!completed) return
  await recordAudit(tx, actor, { action: 'link.completed', at: now, customerId: completed.customer_id, subjectId: id })
}

/**
 * The link a token opens, while it can be used.
 * @throws PortalError LINK_UNKNOWN, LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED
 */
export async function usableLink(db: Database, token: string, now: Date): Promise<ConsentLink> {
  const link = await findLinkByToken(db, token)
  if (!link) throw new PortalError('LINK_UNKNOWN')
  refuseEnded(link, now)
  return link
}

/** @throws PortalError LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED */
export function refuseEnded(link: ConsentLink, now: Date): void {
  const state = linkState(link, now)
  const facts = { reference: link.reference }
  if (state === 'withdrawn') throw new PortalError('LINK_WITHDRAWN', { facts })
  if (state === 'expired') throw new PortalError('LINK_EXPIRED', { facts })
  if (state === 'completed') throw new PortalError('LINK_COMPLETED', { facts })
}

export async function findLinkByToken(db: Database, token: string): Promise<ConsentLink | null> {
  if (!/^[\w-]{43}$/.test(token)) return null
  const row = await db
    .selectFrom('consent_links')
    .selectAll()
    .where('token_hash', '=', digest(token))
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The link, which nobody else changes until the transaction ends. @throws PortalError NOT_FOUND */
export async function holdLink(tx: Tx, id: string): Promise<ConsentLink> {
  const query = tx.selectFrom('consent_links').selectAll().where('id', '=', id)
  const row = await query.$if(isPostgres(tx), (held) => held.forUpdate()).executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** Null for every ID that names no link. */
export async function findLink(db: Database, id: string): Promise<ConsentLink | null> {
  const row = await db.selectFrom('consent_links').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? fromRow(row) : null
}

/** @throws PortalError NOT_FOUND */
export async function getLink(db: Database, id: string, scope: Scope = everything): Promise<ConsentLink> {
  const row = await db
    .selectFrom('consent_links')
    .selectAll()
    .where('id', '=', id)
    .where(within(db, scope, 'customer_id'))
    .executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** Ends all links of a customer that are still open. */
export async function withdrawLinks(tx: Tx, actor: Actor, customerId: string, now: Date): Promise<void> {
  const open = await tx
    .selectFrom('consent_links')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('withdrawn_at', 'is', null)
    .where('completed_at', 'is', null)
    .where('expires_at', '>', now.toISOString())
    .execute()
  for (const { id } of open) await withdrawLink(tx, actor, id, now)
  // Links whose days are over are looked at a little longer; that ends too.
  await tx
    .updateTable('consent_links')
    .set({ next_probe_at: null })
    .where('customer_id', '=', customerId)
    .where('next_probe_at', 'is not', null)
    .execute()
}

export function fromRow(row: Selectable<Schema['consent_links']>): ConsentLink {
  return {
    id: row.id,
    customerId: row.customer_id,
    reference: row.reference,
    pinnedTenantId: row.pinned_tenant_id,
    pinnedDomain: row.pinned_domain,
    issuedAt: row.issued_at,
    issuedBy: row.issued_by,
    expiresAt: row.expires_at,
    withdrawnAt: row.withdrawn_at,
    completedAt: row.completed_at,
    openedAt: row.opened_at,
    openedCount: row.opened_count,
    departures: row.departures,
    firstDepartedAt: row.first_departed_at,
    lastDepartedAt: row.last_departed_at,
  }
}
