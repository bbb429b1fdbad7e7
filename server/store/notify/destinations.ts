import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { newId } from '../identifiers.ts'
import type { AlarmKind } from './alarms.ts'
import type { DestinationKind } from './kinds.ts'

/** Messages that come within these hours are held until they end. Clock times in the destination's own zone, `HH:MM`. */
export interface QuietHours {
  from: string
  to: string
  /** Days on which they begin, 1 for Monday to 7 for Sunday. */
  days: readonly number[]
}

/** What a message to it may name; what it may not is told by an ID or left out. */
export interface Disclosure {
  customers: boolean
  people: boolean
  devices: boolean
}

export interface DestinationSettings {
  name: string
  language: 'en' | 'sv' | 'zh-Hant'
  timeZone: string
  quiet: QuietHours | null
  /** Null for every one. */
  kinds: readonly AlarmKind[] | null
  customers: readonly string[] | null
  groups: readonly string[] | null
  says: Disclosure
  /** Audit events as well: a SIEM alone. */
  audit: boolean
}

export interface Destination extends DestinationSettings {
  id: string
  kind: DestinationKind
  ownerId: string
  /** Address and secrets, sealed for `sealedPlace` of its ID. */
  sealed: string
  /** What may be shown of the address: host and last four characters. */
  shown: string
  pausedAt: string | null
  pausedBy: string | null
  offAt: string | null
  offReason: string | null
  failingSince: string | null
  failures: number
  sent: number
  lastSentAt: string | null
  createdAt: string
}

/** Where a destination's secrets belong: sealed for one, they open in no other. */
export const sealedPlace = (id: string): string => `destinations.sealed ${id}`
export const sealingPurpose = 'destination'

export const newDestinationId = newId

interface Kept {
  id: string
  kind: DestinationKind
  ownerId: string
  sealed: string
  shown: string
}

export async function addDestination(
  tx: Tx,
  actor: Actor,
  destination: Kept & DestinationSettings,
  now: Date,
): Promise<void> {
  const at = now.toISOString()
  await tx
    .insertInto('destinations')
    .values({
      ...rowOf(destination),
      id: destination.id,
      kind: destination.kind,
      owner_id: destination.ownerId,
      sealed: destination.sealed,
      shown: destination.shown,
      paused_at: null,
      paused_by: null,
      off_at: null,
      off_reason: null,
      failing_since: null,
      not_before: null,
      last_sent_at: null,
      created_at: at,
      updated_at: at,
    })
    .execute()
  await witness(tx, actor, 'destination.added', destination, now)
}

/**
 * Changes what is kept of a destination. A new address takes it out of its failures.
 * @throws PortalError NOT_FOUND
 */
export async function changeDestination(
  tx: Tx,
  actor: Actor,
  id: string,
  change: DestinationSettings & { address?: { sealed: string; shown: string } },
  now: Date,
): Promise<void> {
  const destination = await getDestination(tx, id)
  const { address } = change
  await tx
    .updateTable('destinations')
    .set({
      ...rowOf(change),
      ...(address ? { ...address, failing_since: null, failures: 0, not_before: null } : {}),
      updated_at: now.toISOString(),
    })
    .where('id', '=', id)
    .execute()
  await witness(tx, actor, 'destination.changed', { ...destination, name: change.name }, now)
}

/** Replaces the sealed text by the same under a newer key, unless it was changed meanwhile. */
export async function resealDestination(tx: Tx, id: string, sealed: string, anew: string): Promise<void> {
  await tx.updateTable('destinations').set({ sealed: anew }).where('id', '=', id).where('sealed', '=', sealed).execute()
}

/** Keeps other signing secrets. */
export async function replaceSecrets(
  tx: Tx,
  actor: Actor,
  destination: Destination,
  sealed: string,
  now: Date,
): Promise<void> {
  await tx.updateTable('destinations').set({ sealed }).where('id', '=', destination.id).execute()
  await witness(tx, actor, 'destination.changed', destination, now)
}

/** @throws PortalError NOT_FOUND */
export async function pauseDestination(
  tx: Tx,
  actor: Actor & { kind: 'operator' },
  id: string,
  now: Date,
): Promise<void> {
  const destination = await getDestination(tx, id)
  if (destination.pausedAt !== null) return
  await tx
    .updateTable('destinations')
    .set({ paused_at: now.toISOString(), paused_by: actor.name })
    .where('id', '=', id)
    .execute()
  await witness(tx, actor, 'destination.paused', destination, now)
}

/** Takes a pause back, or a switching off. What was held is not sent by itself. @throws PortalError NOT_FOUND */
export async function resumeDestination(tx: Tx, actor: Actor, id: string, now: Date): Promise<void> {
  const destination = await getDestination(tx, id)
  await tx
    .updateTable('destinations')
    .set({
      paused_at: null,
      paused_by: null,
      off_at: null,
      off_reason: null,
      failing_since: null,
      failures: 0,
      not_before: null,
    })
    .where('id', '=', id)
    .execute()
  await witness(tx, actor, 'destination.resumed', destination, now)
}

/** Removes a destination with what waited for it. @throws PortalError NOT_FOUND */
export async function removeDestination(tx: Tx, actor: Actor, id: string, now: Date): Promise<void> {
  const destination = await getDestination(tx, id)
  await tx.deleteFrom('outbox').where('destination_id', '=', id).execute()
  await tx.deleteFrom('destinations').where('id', '=', id).execute()
  await witness(tx, actor, 'destination.removed', destination, now)
}

/** Null when there is none. */
export async function findDestination(db: Database, id: string): Promise<Destination | null> {
  const row = await db.selectFrom('destinations').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? fromRow(row) : null
}

/** @throws PortalError NOT_FOUND */
export async function getDestination(db: Database, id: string): Promise<Destination> {
  const destination = await findDestination(db, id)
  if (!destination) throw new PortalError('NOT_FOUND')
  return destination
}

/** The destination, which nobody else changes until the transaction ends; null when there is none. */
export async function holdDestination(tx: Tx, id: string): Promise<Destination | null> {
  const row = await tx
    .selectFrom('destinations')
    .selectAll()
    .where('id', '=', id)
    .$if(isPostgres(tx), (query) => query.forUpdate())
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The destinations of these IDs that exist, by ID. */
export async function destinationsBy(db: Database, ids: readonly string[]): Promise<Map<string, Destination>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('destinations')
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map((row) => [row.id, fromRow(row)]))
}

/** By name. */
export async function listDestinations(db: Database): Promise<Destination[]> {
  const rows = await db.selectFrom('destinations').selectAll().orderBy('name').orderBy('id').execute()
  return rows.map(fromRow)
}

const json = (value: unknown) => (value === null ? null : JSON.stringify(value))

const rowOf = (settings: DestinationSettings) => ({
  name: settings.name,
  language: settings.language,
  time_zone: settings.timeZone,
  quiet: json(settings.quiet),
  kinds: json(settings.kinds),
  customers: json(settings.customers),
  groups: json(settings.groups),
  says: JSON.stringify(settings.says),
  audit: settings.audit ? 1 : 0,
})

function witness(
  tx: Tx,
  actor: Actor,
  action: `destination.${'added' | 'changed' | 'paused' | 'resumed' | 'removed'}`,
  { id, kind, name }: Pick<Destination, 'id' | 'kind' | 'name'>,
  at: Date,
): Promise<void> {
  return recordAudit(tx, actor, { action, at, subjectId: id, facts: { destination: name, destinationKind: kind } })
}

function fromRow(row: Selectable<Schema['destinations']>): Destination {
  const parsed = <T>(text: string | null) => (text === null ? null : (JSON.parse(text) as T))
  return {
    id: row.id,
    kind: row.kind as DestinationKind,
    name: row.name,
    ownerId: row.owner_id,
    language: row.language as Destination['language'],
    timeZone: row.time_zone,
    quiet: parsed<QuietHours>(row.quiet),
    kinds: parsed<AlarmKind[]>(row.kinds),
    customers: parsed<string[]>(row.customers),
    groups: parsed<string[]>(row.groups),
    says: JSON.parse(row.says) as Disclosure,
    audit: row.audit === 1,
    sealed: row.sealed,
    shown: row.shown,
    pausedAt: row.paused_at,
    pausedBy: row.paused_by,
    offAt: row.off_at,
    offReason: row.off_reason,
    failingSince: row.failing_since,
    failures: row.failures,
    sent: row.sent,
    lastSentAt: row.last_sent_at,
    createdAt: row.created_at,
  }
}
