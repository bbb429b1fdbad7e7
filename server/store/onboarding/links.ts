import { type Selectable, sql } from 'kysely'
import { PortalError } from '../../errors.ts'
import { day, hour } from '../../time.ts'
import { type Actor, type AuditSubject, recordAudit } from '../audit.ts'
import { holdCustomer } from '../customers/customers.ts'
import { among, type Database, isPostgres, type Tx } from '../engine/dialect.ts'
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
  return { link: await linkById(tx, id), token }
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

/** The open links of a customer by which this tenant was asked for: pinned to it, or named by a review that was confirmed. */
export async function linksFor(tx: Tx, customerId: string, tenantId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('consent_links')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('completed_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where((eb) =>
      eb.or([
        eb('pinned_tenant_id', '=', tenantId),
        eb(
          'id',
          'in',
          eb
            .selectFrom('reviews')
            .select('reviews.link_id')
            .where('reviews.customer_id', '=', customerId)
            .where('reviews.tenant_id', '=', tenantId)
            .where('reviews.decision', '=', 'confirmed'),
        ),
      ]),
    )
    .execute()
  return rows.map((row) => row.id)
}

/**
 * The link a token opens, while it can be used.
 * @throws PortalError LINK_UNKNOWN, LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED
 */
export async function usableLink(db: Database, token: string, now: Date): Promise<ConsentLink> {
  const link = await linkByToken(db, token)
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

export async function linkByToken(db: Database, token: string): Promise<ConsentLink | null> {
  if (!/^[\w-]{43}$/.test(token)) return null
  const row = await db
    .selectFrom('consent_links')
    .selectAll()
    .where('token_hash', '=', digest(token))
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** A person opened the page: told by its own script or by going on, never by the fetch a scanner makes. */
export async function recordOpening(tx: Tx, actor: Actor, link: ConsentLink, now: Date): Promise<void> {
  const first = await tx
    .updateTable('consent_links')
    .set({ opened_at: now.toISOString(), opened_count: 1 })
    .where('id', '=', link.id)
    .where('opened_at', 'is', null)
    .executeTakeFirst()
  if (first.numUpdatedRows > 0n) {
    await recordAudit(tx, actor, { action: 'link.opened', at: now, customerId: link.customerId, subjectId: link.id })
    return
  }
  await tx
    .updateTable('consent_links')
    .set((eb) => ({ opened_count: eb('opened_count', '+', 1) }))
    .where('id', '=', link.id)
    .where('opened_count', '<', 1_000)
    .execute()
}

/** Departures counted at most: what comes after says nothing new. */
const mostDepartures = 100_000

/**
 * Somebody leaves for Microsoft: counted, and seldom written to the audit log, because whoever holds the link can press as
 * often as they like. The pinned tenant is looked at when they had the time to consent.
 */
export async function recordDeparture(
  tx: Tx,
  actor: Actor,
  link: ConsentLink,
  now: Date,
  probeAt: Date,
): Promise<void> {
  const at = now.toISOString()
  const probe = probeAt.toISOString()
  await tx
    .updateTable('consent_links')
    .set((eb) => ({
      departures: sql<number>`case when departures < ${mostDepartures} then departures + 1 else departures end`,
      first_departed_at: eb.fn.coalesce('first_departed_at', eb.val(at)),
      last_departed_at: at,
      next_probe_at: sql<string | null>`case
        when pinned_tenant_id is null or completed_at is not null or withdrawn_at is not null then null
        when next_probe_at is null or next_probe_at > ${probe} then ${probe} else next_probe_at end`,
    }))
    .where('id', '=', link.id)
    .execute()
  const noted = await tx
    .updateTable('consent_links')
    .set({ departure_noted_at: at })
    .where('id', '=', link.id)
    .where((eb) => eb.or([eb('departure_noted_at', 'is', null), eb('departure_noted_at', '<=', hourBefore(now))]))
    .executeTakeFirst()
  if (noted.numUpdatedRows === 0n) return
  await recordAudit(tx, actor, { action: 'attempt.started', at: now, customerId: link.customerId, subjectId: link.id })
}

/** Events of one link that are written to the audit log within an hour; more of them say nothing new. */
export const mostNoted = 20

/** Writes what whoever holds a link did to the audit log, so often an hour at most. */
export async function recordVisitorAudit(tx: Tx, actor: Actor, linkId: string, subject: AuditSubject): Promise<void> {
  const over = hourBefore(subject.at)
  const fresh = sql<boolean>`noted_from is null or noted_from <= ${over}`
  const noted = await tx
    .updateTable('consent_links')
    .set({
      noted: sql<number>`case when ${fresh} then 1 else noted + 1 end`,
      noted_from: sql<string>`case when ${fresh} then ${subject.at.toISOString()} else noted_from end`,
    })
    .where('id', '=', linkId)
    .where(sql<boolean>`${fresh} or noted < ${mostNoted}`)
    .returning('noted')
    .executeTakeFirst()
  if (!noted) return
  const last = noted.noted === mostNoted
  await recordAudit(tx, actor, { ...subject, facts: { ...subject.facts, ...(last ? { more: true } : {}) } })
}

const hourBefore = (now: Date) => new Date(now.getTime() - hour).toISOString()

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
export async function linkById(db: Database, id: string, scope: Scope = everything): Promise<ConsentLink> {
  const row = await db
    .selectFrom('consent_links')
    .selectAll()
    .where('id', '=', id)
    .where(within(db, scope, 'customer_id'))
    .executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** Newest first, at most `limit`. */
export async function linksOf(db: Database, customerId: string, limit = 20): Promise<ConsentLink[]> {
  const rows = await db
    .selectFrom('consent_links')
    .selectAll()
    .where('customer_id', '=', customerId)
    .orderBy('issued_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** The newest link of every customer that has one, or of those named. One look into an index for each customer. */
export async function latestLinks(
  db: Database,
  customerIds?: readonly string[],
  scope: Scope = everything,
): Promise<Map<string, ConsentLink>> {
  const rows = await db
    .selectFrom('customers')
    .innerJoin('consent_links as link', (join) =>
      join.on('link.id', '=', (eb) =>
        eb
          .selectFrom('consent_links as latest')
          .select('latest.id')
          .whereRef('latest.customer_id', '=', 'customers.id')
          .orderBy('latest.issued_at', 'desc')
          .orderBy('latest.id')
          .limit(1),
      ),
    )
    .$if(customerIds !== undefined, (query) => query.where(among(db, 'customers.id', customerIds ?? [])))
    .where(within(db, scope, 'customers.id'))
    .selectAll('link')
    .execute()
  return new Map(rows.map((row) => [row.customer_id, fromRow(row)]))
}

/** Customers that were sent a link since then and are still served, or at any time. */
export async function invitedCustomers(db: Database, since: Date | null, scope: Scope = everything): Promise<string[]> {
  const rows = await db
    .selectFrom('customers')
    .select('id')
    .where('offboarded_at', 'is', null)
    .where(within(db, scope, 'customers.id'))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('consent_links')
          .select('consent_links.id')
          .whereRef('consent_links.customer_id', '=', 'customers.id')
          .where('consent_links.issued_at', '>=', since?.toISOString() ?? ''),
      ),
    )
    .execute()
  return rows.map((row) => row.id)
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

function fromRow(row: Selectable<Schema['consent_links']>): ConsentLink {
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
