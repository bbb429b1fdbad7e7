import { setImmediate as breath } from 'node:timers/promises'
import type { IncidentsApi } from '../../config/config.ts'
import type {
  IncidentQuery,
  IncidentRead,
  Instant,
  ListedStatus,
  PartialAnswer,
  RejectedItem,
  RemoteAlert,
  RemoteIncident,
} from '../../model/incident.ts'
import { Refusal } from '../../model/refusal.ts'
import { jsonTextOf } from '../wire/json-text.ts'
import { belongsElsewhere, instant, isRecord } from '../wire/reading.ts'

/** What a list is narrowed to. */
export interface ListQuery extends IncidentQuery {
  /** Created before. */
  createdBefore?: Instant
  /** Conditions out of the source's `kinds`, one of each set. */
  kinds?: readonly string[]
}

/** One of the two APIs: how its list is asked for and what its records mean. */
export interface IncidentSource {
  api: IncidentsApi
  origin: string
  headers: Record<string, string>
  pageSize: number
  /** @param page `ordered` asks for the oldest update first, `counted` for how many there are in all, where the API can */
  listUrl(query: ListQuery, page: { top: number; skip: number; ordered?: boolean; counted?: boolean }): string
  /** Lists that together hold everything open. */
  openLists: readonly ListedStatus[]
  /** Sets of conditions, each of which takes a list apart without a gap; none where the list needs no such thing. */
  kinds: readonly (readonly string[])[]
  /** @param sent the bytes of the record, where they are known */
  readIncident(
    record: Record<string, unknown>,
    tenantId: string,
    sent: Uint8Array | null,
  ): RemoteIncident | 'no-id' | 'no-time'
  incidentUrl(incidentId: string): string
  /** Where the alerts of one incident are, in the order to try. */
  alertsUrls(incidentId: string): string[]
  readAlerts(body: Record<string, unknown>, tenantId: string): RemoteAlert[]
}

/** One record or page of a list as it was answered. */
export interface Found {
  body: Record<string, unknown>
  /** Length of the answer. */
  bytes: number
  /** The items of the list, still to be parsed; where there are none, they are in the body. */
  items?: readonly Buffer[] | null
  /** What the answer says of itself that it lacks. */
  partial?: PartialAnswer | null
  /** The end of the second in which it was sent, by the service's clock; null where it does not say. */
  sentAt?: Instant | null
}

/** One GET with this tenant's token, to the source's own origin. @throws Refusal */
export type GetRecord = (url: string) => Promise<Found>

/** What a list says of an item, understood or not. */
export interface Listed {
  /** Null for an item without an ID of its own. */
  id: string | null
  updatedAt: Instant | null
  createdAt: Instant | null
  read: RemoteIncident | RejectedItem
}

const largestItem = 5_000_000
/** Nothing else runs meanwhile. */
const longestHoldMs = 8

/**
 * Reads the items of a page in their order, giving the event loop free in between.
 * @param items parsed, or as they were sent
 * @param bytes length of the page
 * @throws SyntaxError for one that was sent and is not JSON
 */
export async function readItems(
  source: IncidentSource,
  items: readonly unknown[],
  tenantId: string,
  bytes: number,
): Promise<Listed[]> {
  const read: Listed[] = []
  let began = performance.now()
  for (const item of items) {
    if (performance.now() - began > longestHoldMs) {
      await breath()
      began = performance.now()
    }
    const bytesSent = item instanceof Buffer ? item : null
    const record: unknown = bytesSent === null ? item : JSON.parse(bytesSent.toString())
    read.push(listed(record, readItem(source, record, tenantId, bytes > largestItem, bytesSent)))
  }
  return read
}

/**
 * An item that is too large to be read, with what its beginning says of it.
 * @param record null where that says nothing
 */
export function tooLargeItem(record: Record<string, unknown> | null, place: string): Listed {
  const id = record === null ? null : idIn(record)
  return listed(record, { id, reason: 'too-large', detail: id === null ? place : `over ${largestItem} bytes` })
}

function idIn(record: Record<string, unknown>): string | null {
  const id = record.id ?? record.incidentId
  return typeof id === 'string' || typeof id === 'number' ? String(id).slice(0, 100) : null
}

function listed(item: unknown, read: Listed['read']): Listed {
  if (!isRecord(item)) return { id: null, updatedAt: null, createdAt: null, read }
  if (!('reason' in read)) return { id: read.id, updatedAt: read.lastUpdateAt, createdAt: read.createdAt, read }
  const createdAt = instant(item.createdDateTime ?? item.createdTime)
  return {
    id: read.id,
    updatedAt: instant(item.lastUpdateDateTime ?? item.lastUpdateTime) ?? createdAt,
    createdAt,
    read,
  }
}

function readItem(
  source: IncidentSource,
  item: unknown,
  tenantId: string,
  measure: boolean,
  sent: Uint8Array | null,
): RemoteIncident | RejectedItem {
  if (!isRecord(item)) return { id: null, reason: 'not-an-object', detail: item === null ? 'null' : typeof item }
  const id = idIn(item)
  if (belongsElsewhere(item.tenantId, tenantId)) return { id, reason: 'other-tenant', detail: 'tenantId is another' }
  if (measure && (sent ?? jsonTextOf(item)).length > largestItem) {
    return { id, reason: 'too-large', detail: `over ${largestItem} bytes` }
  }
  try {
    const read = source.readIncident(item, tenantId, sent)
    return typeof read === 'string' ? { id, reason: read, detail: `keys: ${keysOf(item)}` } : read
  } catch (error) {
    return { id, reason: 'unreadable', detail: error instanceof Error ? error.name : 'unknown', cause: error }
  }
}

const keysOf = (item: Record<string, unknown>) =>
  Object.keys(item)
    .filter((key) => /^[\w@.]{1,40}$/.test(key))
    .slice(0, 20)
    .join(', ')

/**
 * One incident as it is now. A 404 means that it is gone only where the body speaks of the incident: a tenant whose service
 * is not set up answers 404 to everything. One that names another tenant, or another ID than was asked for, is rejected.
 * @throws Refusal
 */
export async function readIncidentById(
  { source, tenantId, get }: { source: IncidentSource; tenantId: string; get: GetRecord },
  incidentId: string,
): Promise<IncidentRead> {
  try {
    const { body, bytes, partial = null } = await get(source.incidentUrl(incidentId))
    const read = readItem(source, body, tenantId, bytes > largestItem, null)
    if ('reason' in read || read.id === incidentId) return { found: read, partial }
    return { found: { id: incidentId, reason: 'unreadable', detail: 'another ID than was asked for' }, partial }
  } catch (error) {
    if (error instanceof Refusal && error.unknownItem) return { found: null, partial: null }
    throw error
  }
}
