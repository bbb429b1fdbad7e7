import type { InferResult } from 'kysely'
import type { AuditEvent } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { type Alarm, fromRow } from './alarms.ts'

/** An alarm, with what the things in it are called now. */
export interface NamedAlarm extends Alarm {
  customerName: string | null
  tenantName: string | null
  tenantDomain: string | null
  /** Of the destination that a delivery alarm is about. */
  destinationName: string | null
}

/** Alarms (`a`) with the names of what they are about. */
export const selectNamed = (db: Database) =>
  db
    .selectFrom('notify_alarms as a')
    .leftJoin('customers as c', 'c.id', 'a.customer_id')
    .leftJoin('tenants as t', 't.tenant_id', 'a.tenant_id')
    .leftJoin('destinations as d', 'd.id', 'a.subject_id')
    .selectAll('a')
    .select(['c.name as customer_name', 't.display_name', 't.default_domain', 'd.name as destination_name'])

/** A row of `selectNamed`. */
export const namedFromRow = (row: InferResult<ReturnType<typeof selectNamed>>[number]): NamedAlarm => ({
  ...fromRow(row),
  customerName: row.customer_name,
  tenantName: row.display_name,
  tenantDomain: row.default_domain,
  destinationName: row.destination_name,
})

/** Those of the alarms that are still there, by ID. */
export async function namedAlarms(db: Database, ids: readonly string[]): Promise<Map<string, NamedAlarm>> {
  if (ids.length === 0) return new Map()
  const rows = await selectNamed(db)
    .where('a.id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map((row) => [row.id, namedFromRow(row)]))
}

/** An audit event as it leaves for a SIEM. */
export type ForwardedEvent = Omit<AuditEvent, 'requestId'> & { actorId: string | null }

/** Audit events by their numbers. */
export async function forwardedEvents(db: Database, ids: readonly string[]): Promise<Map<string, ForwardedEvent>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('audit_events as e')
    .leftJoin('customers as c', 'c.id', 'e.customer_id')
    .leftJoin('tenants as t', 't.tenant_id', 'e.tenant_id')
    .selectAll('e')
    .select(['c.name as customer_name', 't.display_name', 't.default_domain'])
    .where('e.id', 'in', [...new Set(ids)].map(Number))
    .execute()
  return new Map(
    rows.map((row) => [
      String(row.id),
      {
        id: row.id,
        at: row.at,
        actorKind: row.actor_kind as AuditEvent['actorKind'],
        actorId: row.actor_id,
        actorName: row.actor_name,
        action: row.action as AuditEvent['action'],
        customerId: row.customer_id,
        tenantId: row.tenant_id,
        subjectId: row.subject_id,
        facts: JSON.parse(row.facts) as AuditEvent['facts'],
        address: row.address,
        customerName: row.customer_name,
        tenantName: row.display_name ?? row.default_domain,
      },
    ]),
  )
}

/** The groups of these customers, by customer; customers without any are left out. */
export async function groupsOfCustomers(db: Database, ids: readonly string[]): Promise<Map<string, string[]>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('customer_groups')
    .selectAll()
    .where('customer_id', 'in', [...new Set(ids)])
    .execute()
  const groups = new Map<string, string[]>()
  for (const row of rows) groups.set(row.customer_id, [...(groups.get(row.customer_id) ?? []), row.name])
  return groups
}
