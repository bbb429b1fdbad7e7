import type { IncidentStatus, Instant, RemoteAlert, Severity } from '../../model/incident.ts'
import { jsonTextOf } from './json-text.ts'

/*
 * Fields are read by hand rather than by a schema: a page of a hundred incidents holds tens of thousands of them, and a
 * schema that forgives every field took six times as long as parsing the page.
 */

/**
 * Reads alerts that came by themselves: what was sent of each stands nowhere else. One that cannot be read is left out,
 * and takes no other with it.
 */
export const keepingOriginals =
  (read: (record: Record<string, unknown>, index: number) => RemoteAlert) =>
  (record: Record<string, unknown>, index: number): RemoteAlert[] => {
    try {
      return [{ ...read(record, index), original: jsonTextOf(record) }]
    } catch {
      return []
    }
  }

/** A field that may be anything: text in bounds, or null. Numbers are text here, as IDs are numbers in one API alone. */
export function text(value: unknown, limit: number): string | null {
  if (typeof value === 'string') return clean(value, limit) || null
  return typeof value === 'number' && Number.isFinite(value) ? clean(String(value), limit) : null
}

/** The texts of a list; items of other types are left out. Empty when it is not a list. */
export function texts(value: unknown, limit: number, most = 200): string[] {
  const list: string[] = []
  for (const one of Array.isArray(value) ? value : []) {
    const read = text(one, limit)
    if (read !== null) list.push(read)
    if (list.length >= most) break
  }
  return list
}

/** The records of a list; items of other types are left out. */
export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

export function instant(value: unknown): Instant | null {
  const words = text(value, 60)
  return words === null ? null : instantOf(words)
}

export function wholeNumber(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A NUL, which no database keeps, is made visible. */
function clean(value: string, limit: number): string {
  return (value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value).trim().slice(0, limit)
}

const isoTime = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?\s*(Z|[+-]\d\d:?\d\d)?$/i

/**
 * Microsoft's times carry 0 to 7 fraction digits; text order is time order only when all carry seven. Years outside
 * 1990–2199 are placeholders (`0001-01-01`) or noise that would carry a cursor away, and read as no time at all.
 */
export function instantOf(value: string): Instant | null {
  const [, year, month, day, time = '', fraction = '', zone = 'Z'] = isoTime.exec(value) ?? []
  if (year === undefined || Number(year) < 1990 || Number(year) > 2199) return null
  const utc = zone === 'Z' || zone === 'z'
  const iso = `${year}-${month}-${day}T${time}`
  const at = Date.parse(iso + (utc ? 'Z' : zone.replace(/^(...):?(..)$/, '$1:$2')))
  if (Number.isNaN(at)) return null
  // A 30 February is read as 2 March, and 24:00:00 as the next day: as long as it stays the same day, it stays as it is.
  const whole = utc && Number(day) <= 28 && !time.startsWith('24') ? iso : new Date(at).toISOString().slice(0, 19)
  return `${whole}.${fraction.slice(0, 7).padEnd(7, '0')}Z`
}

/** Defender writes `TruePositive`, Graph `truePositive`. */
export function camel(value: string | null): string | null {
  return value === null ? null : value.charAt(0).toLowerCase() + value.slice(1)
}

/*
 * Tables that are asked by text from outside are maps: in a plain object, `constructor` and `__proto__` are found as well.
 */

const severities = new Map<string, Severity>([
  ['high', 'high'],
  ['medium', 'medium'],
  ['low', 'low'],
  ['informational', 'informational'],
])

export function severityOf(raw: string | null): Severity {
  return severities.get(raw?.toLowerCase() ?? '') ?? 'unknown'
}

const statuses = new Map<string, IncidentStatus>([
  ['active', 'active'],
  ['new', 'active'],
  ['inprogress', 'inProgress'],
  ['awaitingaction', 'awaitingAction'],
  ['resolved', 'resolved'],
  ['redirected', 'redirected'],
])

export function statusOf(raw: string | null): IncidentStatus {
  return statuses.get(raw?.toLowerCase() ?? '') ?? 'unknown'
}

/** Names a product has had over the years, with the one it has now. */
const sources = new Map<string, string>([
  ['microsoftdefenderatp', 'microsoftDefenderForEndpoint'],
  ['windowsdefenderatp', 'microsoftDefenderForEndpoint'],
  ['microsoft defender for endpoint', 'microsoftDefenderForEndpoint'],
  ['officeatp', 'microsoftDefenderForOffice365'],
  ['azureatp', 'microsoftDefenderForIdentity'],
  ['microsoftcloudappsecurity', 'microsoftDefenderForCloudApps'],
  ['mcas', 'microsoftDefenderForCloudApps'],
  ['microsoftthreatprotection', 'microsoft365Defender'],
])

export function serviceSourceOf(raw: string | null): string | null {
  return sources.get(raw?.toLowerCase() ?? '') ?? camel(raw)
}

const incidentIdShape = /^[\w.-]{1,100}$/

export function idOf(value: string | null): string | null {
  return value !== null && incidentIdShape.test(value) ? value : null
}

const portals = new Set(['security.microsoft.com', 'security.microsoft.us', 'security.apps.mil'])

/** An address that may become a link: the text of an incident is an attacker's to write. */
export function portalAddress(value: string | null): string | null {
  if (value === null || !URL.canParse(value)) return null
  const { protocol, host, username, password, href } = new URL(value)
  return protocol === 'https:' && portals.has(host) && username === '' && password === '' ? href : null
}

/** The first that says something. */
export function firstOf(...values: (string | null | undefined)[]): string | null {
  return values.find((value) => value !== null && value !== undefined && value !== '') ?? null
}

/** Whether an item names another tenant. `tenantId` may be empty or absent. */
export function belongsElsewhere(tenantId: unknown, expected: string): boolean {
  return typeof tenantId === 'string' && tenantId !== '' && tenantId.toLowerCase() !== expected
}
