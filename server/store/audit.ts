import type { InferResult } from 'kysely'
import type { Database, Tx } from './engine/dialect.ts'
import { hearEvent } from './notify/hear.ts'
import { everything, type Scope, within } from './scope.ts'

/** Who did it. `kind: 'muster'` is the portal by itself, `customer` whoever holds a consent link. */
export type Actor =
  | { kind: 'operator'; id: string; name: string; address: string | null; requestId: string | null }
  | { kind: 'customer'; id: null; name: string | null; address: string | null; requestId: string | null }
  | { kind: 'muster' }

export const muster: Actor = { kind: 'muster' }

/** Every action there is; `audit.<action>` in the catalogue says it as a sentence. */
export const auditActions = [
  'operator.signed-in',
  'operator.sign-in-refused',
  'operator.signed-out',
  'operator.limited',
  'session.ended',
  'settings.changed',
  'permissions.seen',
  'permissions.confirmed',
  'customer.created',
  'customer.changed',
  'customer.offboarded',
  'customer.reinstated',
  'link.issued',
  'link.withdrawn',
  'link.opened',
  'link.completed',
  'attempt.started',
  'attempt.refused',
  'attempt.declined',
  'consent.claimed',
  'consent.received',
  'consent.unclaimed',
  'consent.code-unused',
  'review.confirmed',
  'review.dismissed',
  'review.put-away',
  'tenant.bound',
  'tenant.refused',
  'tenant.entered',
  'tenant.profile-read',
  'tenant.check-requested',
  'tenant.sync-requested',
  'tenant.reread-requested',
  'tenant.paused',
  'tenant.resumed',
  'reading.paused',
  'reading.resumed',
  'note.added',
  'note.removed',
  'tenant.data-removed',
  'access.changed',
  'tenant.first-incident',
  'tenant.offboarded',
  'alarm.raised',
  'alarm.cleared',
  'destination.added',
  'destination.changed',
  'destination.paused',
  'destination.resumed',
  'destination.removed',
  'destination.tested',
  'destination.switched-off',
  'deliveries.replayed',
  'audit.exported',
  'audit.sealed',
] as const

export type AuditAction = (typeof auditActions)[number]

export interface AuditSubject {
  action: AuditAction
  at: Date
  customerId?: string | null
  tenantId?: string | null
  subjectId?: string | null
  /** Safe to show: no token, no state, no text that came through a callback. */
  facts?: Record<string, string | number | boolean | null>
}

export interface AuditEvent {
  id: number
  at: string
  actorKind: Actor['kind']
  actorName: string | null
  action: AuditAction
  customerId: string | null
  tenantId: string | null
  subjectId: string | null
  facts: Record<string, string | number | boolean | null>
  address: string | null
  requestId: string | null
  /** What customer and tenant are called now; null where the event has none. */
  customerName: string | null
  tenantName: string | null
}

/** Writes the witness of a change into the transaction of that change, and what people are to be told of it. */
export async function recordAudit(tx: Tx, actor: Actor, subject: AuditSubject): Promise<void> {
  const person = actor.kind === 'muster' ? { id: null, name: null, address: null, requestId: null } : actor
  const facts = subject.facts ?? {}
  const { id } = await tx
    .insertInto('audit_events')
    .values({
      at: subject.at.toISOString(),
      actor_kind: actor.kind,
      actor_id: person.id,
      actor_name: person.name,
      action: subject.action,
      customer_id: subject.customerId ?? null,
      tenant_id: subject.tenantId ?? null,
      subject_id: subject.subjectId ?? null,
      facts: JSON.stringify(facts),
      address: person.address,
      request_id: person.requestId,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  const { action, at, customerId = null, tenantId = null, subjectId = null } = subject
  await hearEvent(tx, { id, action, at, customerId, tenantId, subjectId, facts })
}

/** Events with the names of what they are about. */
export const selectEvents = (db: Database) =>
  db
    .selectFrom('audit_events')
    .leftJoin('customers', 'customers.id', 'audit_events.customer_id')
    .leftJoin('tenants', 'tenants.tenant_id', 'audit_events.tenant_id')
    .selectAll('audit_events')
    .select(['customers.name as customer_name', 'tenants.display_name', 'tenants.default_domain'])

/** A row of `selectEvents`. */
export const eventFromRow = (row: InferResult<ReturnType<typeof selectEvents>>[number]): AuditEvent => ({
  id: Number(row.id),
  at: row.at,
  actorKind: row.actor_kind as Actor['kind'],
  actorName: row.actor_name,
  action: row.action as AuditAction,
  customerId: row.customer_id,
  tenantId: row.tenant_id,
  subjectId: row.subject_id,
  facts: JSON.parse(row.facts) as AuditEvent['facts'],
  address: row.address,
  requestId: row.request_id,
  customerName: row.customer_name,
  tenantName: row.display_name ?? row.default_domain,
})

/**
 * Newest first; `before` is the ID of the last event of the page before. What concerns no customer is in `everything`
 * alone.
 */
export async function listAudit(
  db: Database,
  filter: { customerId?: string; tenantId?: string; actions?: readonly AuditAction[]; before?: number; limit: number },
  scope: Scope = everything,
): Promise<AuditEvent[]> {
  let query = selectEvents(db)
    .where(within(db, scope, 'audit_events.customer_id'))
    .orderBy('audit_events.id', 'desc')
    .limit(filter.limit)
  if (filter.customerId !== undefined) query = query.where('audit_events.customer_id', '=', filter.customerId)
  if (filter.tenantId !== undefined) query = query.where('audit_events.tenant_id', '=', filter.tenantId)
  if (filter.actions !== undefined) query = query.where('audit_events.action', 'in', [...filter.actions])
  if (filter.before !== undefined) query = query.where('audit_events.id', '<', filter.before)
  return (await query.execute()).map(eventFromRow)
}
