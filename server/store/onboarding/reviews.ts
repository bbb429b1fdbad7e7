import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { newId } from '../identifiers.ts'
import { everything, type Scope, within } from '../scope.ts'
import { recordVisitorAudit } from './link-visits.ts'

/**
 * Why an operator has to decide. `unpinned`: a claim for a customer whose tenant nobody named up front · `unclaimed`: a
 * return that came late or lost · `mangled`: one whose address had been altered on the way · `code`: a code that came with a
 * classic link that had ended, and names no tenant · `guest`, `no-role`, `roles-unseen`: a sign-in that proves the tenant, and not that this
 * person may give it.
 */
export type ReviewKind = 'unpinned' | 'unclaimed' | 'mangled' | 'code' | 'guest' | 'no-role' | 'roles-unseen'

/** How the tenant got here: only said by a browser, or proven by a validated sign-in. */
export type ReviewEvidence = 'callback' | 'sign-in'

export interface Review {
  id: string
  kind: ReviewKind
  customerId: string | null
  linkId: string | null
  attemptId: string | null
  /** A claim, until it is confirmed; null where what came back named none. */
  tenantId: string | null
  tenantName: string | null
  tenantDomain: string | null
  evidence: ReviewEvidence
  person: string | null
  createdAt: string
  decidedAt: string | null
  decidedBy: string | null
  decision: 'confirmed' | 'dismissed' | null
}

/**
 * Opens a review, once per tenant and customer while it is undecided. A sign-in that proves what so far only a callback
 * had said makes the open one a better one.
 * @returns false when so many wait already that this one is not kept
 */
export async function openReview(
  tx: Tx,
  actor: Actor,
  review: Omit<Review, 'id' | 'createdAt' | 'decidedAt' | 'decidedBy' | 'decision'>,
  now: Date,
): Promise<boolean> {
  if (!(await hasRoom(tx, review))) return false
  const said = {
    kind: review.kind,
    link_id: review.linkId,
    attempt_id: review.attemptId,
    tenant_name: review.tenantName,
    tenant_domain: review.tenantDomain,
    evidence: review.evidence,
    person: review.person,
  }
  const inserted = await tx
    .insertInto('reviews')
    .values({
      id: newId(),
      customer_id: review.customerId,
      tenant_id: keyOf(review),
      ...said,
      created_at: now.toISOString(),
      decided_at: null,
      decided_by: null,
      decision: null,
    })
    .onConflict((oc) => oc.doNothing())
    .returning('id')
    .executeTakeFirst()
  const bettered =
    inserted || review.evidence !== 'sign-in'
      ? undefined
      : await tx
          .updateTable('reviews')
          .set(said)
          .where('tenant_id', '=', keyOf(review))
          .where('customer_id', review.customerId === null ? 'is' : '=', review.customerId)
          .where('decided_at', 'is', null)
          .where('evidence', '!=', 'sign-in')
          .returning('id')
          .executeTakeFirst()
  const id = inserted?.id ?? bettered?.id
  if (id === undefined) return true
  const event = {
    action: actionOf(review.kind),
    at: now,
    customerId: review.customerId,
    subjectId: id,
    facts: { tenantId: review.tenantId, evidence: review.evidence },
  } as const
  if (review.linkId === null) await recordAudit(tx, actor, event)
  else await recordVisitorAudit(tx, actor, review.linkId, event)
  return true
}

/** The column holds an empty text where no tenant is named, so that one of these waits for a customer at a time. */
const keyOf = ({ tenantId }: Pick<Review, 'tenantId'>): string => tenantId ?? ''

function actionOf(kind: ReviewKind) {
  if (kind === 'code') return 'consent.code-unused'
  return kind === 'unclaimed' || kind === 'mangled' ? 'consent.unclaimed' : 'consent.received'
}

/**
 * Open reviews of one customer: of what a browser only said, and of tenants that somebody has signed in to. Whoever holds a
 * link could make them up, or sign in, without end; beyond this they tell an operator nothing new.
 */
export const mostReviews = { callback: 10, 'sign-in': 20 } as const

async function hasRoom(tx: Tx, review: Pick<Review, 'customerId' | 'tenantId' | 'evidence'>): Promise<boolean> {
  const open = await tx
    .selectFrom('reviews')
    .select(['tenant_id', 'evidence'])
    .where('decided_at', 'is', null)
    .where('customer_id', review.customerId === null ? 'is' : '=', review.customerId)
    .limit(1_000)
    .execute()
  if (open.some((one) => one.tenant_id === keyOf(review))) return true
  return open.filter((one) => one.evidence === review.evidence).length < mostReviews[review.evidence]
}

/**
 * Decides a review once.
 * @throws PortalError NOT_FOUND, REVIEW_DECIDED
 */
export async function decideReview(
  tx: Tx,
  actor: Actor & { kind: 'operator' },
  id: string,
  decision: 'confirmed' | 'dismissed',
  now: Date,
): Promise<Review> {
  const decided = await tx
    .updateTable('reviews')
    .set({ decided_at: now.toISOString(), decided_by: actor.name, decision })
    .where('id', '=', id)
    .where('decided_at', 'is', null)
    .executeTakeFirst()
  const review = await getReview(tx, id)
  if (decided.numUpdatedRows !== 1n) throw new PortalError('REVIEW_DECIDED')
  await recordAudit(tx, actor, {
    action: decisionOf(review.kind, decision),
    at: now,
    customerId: review.customerId,
    subjectId: id,
    facts: { tenantId: review.tenantId },
  })
  return review
}

function decisionOf(kind: ReviewKind, decision: 'confirmed' | 'dismissed') {
  if (decision === 'confirmed') return 'review.confirmed'
  return kind === 'code' ? 'review.put-away' : 'review.dismissed'
}

/** @throws PortalError NOT_FOUND */
export async function getReview(db: Database, id: string, scope: Scope = everything): Promise<Review> {
  const row = await db
    .selectFrom('reviews')
    .selectAll()
    .where('id', '=', id)
    .where(within(db, scope, 'customer_id'))
    .executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** Whether anybody still has to decide on that tenant, for whatever customer. */
export async function hasOpenReview(db: Database, tenantId: string): Promise<boolean> {
  const row = await db
    .selectFrom('reviews')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('decided_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

/** Undecided ones, oldest first, at most `limit`; of all customers or of one. */
export async function openReviews(
  db: Database,
  customerId?: string,
  limit = 50,
  scope: Scope = everything,
): Promise<Review[]> {
  let query = db
    .selectFrom('reviews')
    .selectAll()
    .where('decided_at', 'is', null)
    .where(within(db, scope, 'customer_id'))
    .orderBy('created_at')
    .limit(limit)
  if (customerId !== undefined) query = query.where('customer_id', '=', customerId)
  return (await query.execute()).map(fromRow)
}

/** How many wait for a decision, by customer; the key is null for those of none. */
export async function countOpenReviews(db: Database, scope: Scope = everything): Promise<Map<string | null, number>> {
  const rows = await db
    .selectFrom('reviews')
    .where('decided_at', 'is', null)
    .where(within(db, scope, 'customer_id'))
    .groupBy('customer_id')
    .select(['customer_id', (eb) => eb.fn.countAll<number>().as('open')])
    .execute()
  return new Map(rows.map((row) => [row.customer_id, Number(row.open)]))
}

function fromRow(row: Selectable<Schema['reviews']>): Review {
  return {
    id: row.id,
    kind: row.kind as ReviewKind,
    customerId: row.customer_id,
    linkId: row.link_id,
    attemptId: row.attempt_id,
    tenantId: row.tenant_id || null,
    tenantName: row.tenant_name,
    tenantDomain: row.tenant_domain,
    evidence: row.evidence as ReviewEvidence,
    person: row.person,
    createdAt: row.created_at,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    decision: row.decision as Review['decision'],
  }
}
