import { setTimeout as wait } from 'node:timers/promises'
import type { IncidentsApi } from '../config.ts'
import type { Log } from '../log.ts'
import { tooLarge } from './http.ts'
import type { IncidentPage, IncidentQuery, RejectedItem, RemoteAlert, RemoteIncident } from './microsoft.ts'
import { belongsElsewhere, isRecord } from './reading.ts'
import { Refusal } from './refusals.ts'

/** One of the two APIs: how its list is asked for and what its records mean. */
export interface IncidentSource {
  api: IncidentsApi
  origin: string
  headers: Record<string, string>
  pageSize: number
  listUrl(query: IncidentQuery, page: { top: number; skip: number; ordered: boolean }): string
  readIncident(record: Record<string, unknown>, tenantId: string): RemoteIncident | 'no-id' | 'no-time'
  /** Where the alerts of one incident are, in the order to try. */
  alertsUrls(incidentId: string): string[]
  readAlerts(body: Record<string, unknown>, tenantId: string): RemoteAlert[]
}

/** One GET with this tenant's token, to the source's own origin. @throws Refusal */
type GetRecord = (url: string) => Promise<{ body: Record<string, unknown>; bytes: number }>

export interface PagingLimits {
  pages: number
  ms: number
  /** Calls before the pace is kept; the Defender API allows 50 a minute and lengthens the block for whoever hurries. */
  burst: number
  paceMs: number
}

export const pagingLimits: PagingLimits = { pages: 500, ms: 15 * 60_000, burst: 40, paceMs: 1_500 }

const largestItem = 5_000_000
const mostOversized = 3

interface Paging {
  source: IncidentSource
  tenantId: string
  query: IncidentQuery
  get: GetRecord
  now: () => Date
  log: Log
  limits?: PagingLimits
}

const mostPasses = 50

/**
 * The whole list. Graph stops giving pages somewhere down a long one, without a word; its list comes oldest change
 * first, so whatever was longer than a page is asked for again from the last change seen, until nothing new comes.
 * @throws Refusal
 */
export async function* readIncidents(paging: Paging): AsyncGenerator<IncidentPage> {
  let { query } = paging
  let known = new Set<string>()
  for (let pass = 1; pass <= mostPasses; pass++) {
    const from = query.updatedSince ?? ''
    let newest = from
    let atNewest = new Set(known)
    let count = 0
    for await (const page of readPages({ ...paging, query })) {
      count += page.incidents.length
      for (const { id, lastUpdateAt } of page.incidents) {
        if (lastUpdateAt > newest) [newest, atNewest] = [lastUpdateAt, new Set()]
        if (lastUpdateAt === newest) atNewest.add(id)
      }
      const fresh = page.incidents.filter(({ id, lastUpdateAt }) => lastUpdateAt !== from || !known.has(id))
      if (fresh.length > 0 || page.rejected.length > 0 || pass === 1) yield { ...page, incidents: fresh }
    }
    if (paging.source.api !== 'graph' || count <= paging.source.pageSize || newest === from) return
    query = { ...query, updatedSince: newest }
    known = atNewest
  }
  throw new Refusal('unexpected-answer', { at: paging.now().toISOString(), error: 'too_many_pages' })
}

/**
 * Page after page: by the service's own link where it gives one, else by `$skip` for as long as pages come full.
 * 1. A link is followed as it is, but only back to the same origin and path: it gets our token.
 * 2. The same link or the same page twice, too many pages or too much time end the pass: a cursor must not move over
 *    what was never seen.
 * 3. A page too large to read is asked for again in smaller pieces; one incident too large by itself is rejected alone.
 * @throws Refusal
 */
export async function* readPages(paging: Paging): AsyncGenerator<IncidentPage> {
  const { source, query, get, now, limits = pagingLimits } = paging
  const started = performance.now()
  const unexpected = (error: string) => new Refusal('unexpected-answer', { at: now().toISOString(), error })
  const visited = new Set<string>()
  let ordered = true
  let top = source.pageSize
  let skip = 0
  let oversized = 0
  let previous = ''
  let next: string | null = null
  for (let call = 1; ; call++) {
    if (call > limits.pages) throw unexpected('too_many_pages')
    if (performance.now() - started > limits.ms) throw unexpected('pages_without_end')
    if (call > limits.burst) await wait(limits.paceMs)
    const url: string = next ?? source.listUrl(query, { top, skip, ordered })
    if (visited.has(url)) throw unexpected('same_page_again')
    visited.add(url)
    let answer: Awaited<ReturnType<GetRecord>>
    try {
      answer = await get(url)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (
        error.facts.status === 400 &&
        call === 1 &&
        ordered &&
        source.listUrl(query, { top, skip, ordered: false }) !== url
      ) {
        ordered = false
        continue
      }
      if (error.facts.error !== tooLarge) throw error
      next = null
      if (top > 1) top = Math.ceil(top / 5)
      else if (++oversized > mostOversized) throw error
      else {
        yield { incidents: [], rejected: [{ id: null, reason: 'too-large', detail: `item ${skip + 1} of the list` }] }
        skip++
      }
      continue
    }
    const asked = top
    top = Math.min(source.pageSize, top * 5)
    const items = answer.body.value
    if (!Array.isArray(items)) throw unexpected('no_list')
    // A few may well come twice when the list moves under our feet; a whole page does not.
    const fingerprint = items.length < 5 ? '' : JSON.stringify(items.map(nameOf))
    if (fingerprint !== '' && fingerprint === previous) throw unexpected('same_page_again')
    previous = fingerprint
    yield readItems(paging, items, answer.bytes)
    skip += items.length
    const link = answer.body['@odata.nextLink']
    if (link !== undefined && link !== null)
      next = followable(link, source.listUrl({}, { top, skip: 0, ordered }), unexpected)
    else if (items.length === asked) next = null
    else return
  }
}

function followable(link: unknown, first: string, unexpected: (error: string) => Refusal): string {
  if (typeof link !== 'string' || link.length > 8_000 || !URL.canParse(link)) throw unexpected('next_link_unreadable')
  const { origin, pathname, username, password } = new URL(link)
  const own = new URL(first)
  const same = origin === own.origin && pathname.toLowerCase() === own.pathname.toLowerCase()
  if (!same || username !== '' || password !== '') throw unexpected('next_link_leads_away')
  return link
}

const nameOf = (item: unknown): unknown =>
  isRecord(item) ? [item.id ?? item.incidentId, item.lastUpdateDateTime ?? item.lastUpdateTime] : null

function readItems({ source, tenantId, log }: Paging, items: unknown[], bytes: number): IncidentPage {
  const page: IncidentPage = { incidents: [], rejected: [] }
  for (const item of items) {
    const read = readItem(source, item, tenantId, bytes > largestItem)
    if ('reason' in read) page.rejected.push(read)
    else page.incidents.push(read)
  }
  if (page.rejected.length > 0) {
    log.warn({ tenantId, rejected: page.rejected.slice(0, 20) }, 'incidents were not understood')
  }
  return page
}

function readItem(
  source: IncidentSource,
  item: unknown,
  tenantId: string,
  measure: boolean,
): RemoteIncident | RejectedItem {
  if (!isRecord(item)) return { id: null, reason: 'not-an-object', detail: item === null ? 'null' : typeof item }
  const said = item.id ?? item.incidentId
  const id = typeof said === 'string' || typeof said === 'number' ? String(said).slice(0, 100) : null
  if (belongsElsewhere(item.tenantId, tenantId)) return { id, reason: 'other-tenant', detail: 'tenantId is another' }
  if (measure && JSON.stringify(item).length > largestItem) {
    return { id, reason: 'too-large', detail: `over ${largestItem} characters` }
  }
  try {
    const read = source.readIncident(item, tenantId)
    return typeof read === 'string' ? { id, reason: read, detail: `keys: ${keysOf(item)}` } : read
  } catch (error) {
    return { id, reason: 'unreadable', detail: error instanceof Error ? error.name : 'unknown' }
  }
}

const keysOf = (item: Record<string, unknown>) =>
  Object.keys(item)
    .filter((key) => /^[\w@.]{1,40}$/.test(key))
    .slice(0, 20)
    .join(', ')

/**
 * The alerts of one incident. A way that the service does not know, or cannot manage for this incident, leads to the next.
 * @throws Refusal
 */
export async function readAlertsOf(
  { source, tenantId, get, now }: Omit<Paging, 'query' | 'log' | 'limits'>,
  incidentId: string,
): Promise<RemoteAlert[]> {
  const ways = source.alertsUrls(incidentId)
  for (const [index, url] of ways.entries()) {
    try {
      return await readAlertPages({ source, tenantId, get, now }, url)
    } catch (error) {
      const otherWay = error instanceof Refusal && [400, 404, 500, 501].includes(error.facts.status ?? 0)
      if (!otherWay || index === ways.length - 1) throw error
    }
  }
  return []
}

const mostAlertPages = 100

async function readAlertPages(
  { source, tenantId, get, now }: Omit<Paging, 'query' | 'log' | 'limits'>,
  url: string,
): Promise<RemoteAlert[]> {
  const unexpected = (error: string) => new Refusal('unexpected-answer', { at: now().toISOString(), error })
  const alerts: RemoteAlert[] = []
  const visited = new Set<string>()
  let next: string | null = url
  while (next !== null) {
    if (visited.has(next) || visited.size >= mostAlertPages) throw unexpected('same_page_again')
    visited.add(next)
    const { body }: Awaited<ReturnType<GetRecord>> = await get(next)
    if (!Array.isArray(body.value) && !Array.isArray(body.alerts)) throw unexpected('no_list')
    alerts.push(...source.readAlerts(body, tenantId))
    const link = body['@odata.nextLink'] ?? null
    next = link === null ? null : followable(link, url, unexpected)
  }
  return alerts
}
