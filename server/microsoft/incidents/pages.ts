import { hash } from 'node:crypto'
import type { Log } from '../../log.ts'
import type { IncidentPage, IncidentQuery, Instant, PartialAnswer } from '../../model/incident.ts'
import { Refusal } from '../../model/refusal.ts'
import { AnswerTooLarge, tooLarge } from '../wire/http.ts'
import {
  type GetRecord,
  type IncidentSource,
  type Listed,
  type ListQuery,
  readItems,
  tooLargeItem,
} from './incidents.ts'
import { firstItemIn } from './list-head.ts'
import type { PageSizes } from './page-sizes.ts'
import { bothLack } from './partial.ts'

/** One list of one tenant that is to be read whole. */
export interface Paging {
  source: IncidentSource
  tenantId: string
  query: IncidentQuery
  get: GetRecord
  now: () => Date
  log: Log
  limits?: PagingLimits
  /** What is known of the service's own limit; nothing, when left out. */
  sizes?: PageSizes
}

export interface PagingLimits {
  pages: number
  ms: number
}

/** Beyond what any tenant has; how fast is the meter's business. */
const pagingLimits: PagingLimits = { pages: 1_500, ms: 60 * 60_000 }

export interface ListPage {
  items: Listed[]
  /** Whether more may follow. */
  full: boolean
  /** A link that says nothing of where it leads, and can only be followed. */
  link: string | null
  /** One item alone that is too large to be read. */
  oversized: boolean
  /** It was passed over as well: nothing is known of it but that it is there. */
  passedOver: boolean
  partial: PartialAnswer | null
  sentAt: Instant | null
  /** How many items the list holds in all, where that was asked and answered. */
  count: number | null
  /** Why the list ends behind this page, though more follows. */
  refusal: Refusal | null
}

/** Asks for the pages of one list, as large as they can well be. */
export interface Pager {
  readonly source: IncidentSource
  /** How many items the next page is asked for. */
  readonly top: number
  /** How many items a page may have at most. */
  readonly most: number
  ask(
    query: ListQuery,
    at: { skip: number; ordered?: boolean; counted?: boolean; link?: string | null },
  ): Promise<ListPage>
  /** How many items match; null where the service does not say. */
  count(query: ListQuery): Promise<number | null>
  /** What counts said of themselves that they lack. */
  readonly countLacks: PartialAnswer | null
  unexpected(error: string): Refusal
}

/** An answer is looked through in one piece, and is in memory until it is stored. */
const heavy = 4_000_000
const light = 1_000_000
/** Items too large by themselves in one list: beyond this it is no longer about items. */
const mostOversized = 100

/**
 * 1. A page too large to read is asked for again in smaller pieces; one incident too large by itself is rejected alone.
 * 2. A page that is refused with 400 is asked for again in smaller ones, down to one item; what is taken is remembered.
 * 3. After a heavy page the next one is asked for smaller, after a light one larger again.
 * 4. A link is believed only when it leads back to the same origin and path, and to what was not asked for before.
 * 5. Too many pages or too much time end the list: a cursor must not move over what was never seen.
 */
export function pagerOf({ source, tenantId, get, now, log, limits = pagingLimits, sizes }: Paging): Pager {
  const started = performance.now()
  const visited = new Set<string>()
  let most = Math.min(sizes?.mostOf(tenantId) ?? source.pageSize, source.pageSize)
  let top = most
  let calls = 0
  /** Each is one thing, however often it is met. */
  const oversized = new Map<string, Listed>()
  let countLacks: PartialAnswer | null = null

  const unexpected = (error: string) => new Refusal('unexpected-answer', { at: now().toISOString(), error })
  const call = (url: string) => {
    if (++calls > limits.pages) throw unexpected('too_many_pages')
    if (performance.now() - started > limits.ms) throw unexpected('pages_without_end')
    visited.add(url)
    return get(url)
  }

  return {
    source,
    unexpected,
    get top() {
      return top
    },
    get most() {
      return most
    },
    get countLacks() {
      return countLacks
    },
    async ask(query, { skip, ordered = false, counted = false, link = null }) {
      let url = link
      let refusedAt: number | null = null
      const began = top
      for (;;) {
        const asked = top
        url ??= source.listUrl(query, { top: asked, skip, ordered, counted })
        try {
          const { body, bytes, items: sent, partial = null, sentAt = null } = await call(url)
          if (bytes > heavy) top = Math.max(1, Math.floor((asked * heavy) / 2 / bytes))
          else if (bytes < light) top = Math.min(most, asked * 5)
          if (refusedAt !== null) {
            refusedAt = null
            most = top = asked
            sizes?.learn(tenantId, asked)
            log.warn({ tenantId, items: asked }, 'Microsoft takes fewer items a page than it documents')
          }
          const { value } = body
          if (!Array.isArray(value)) throw unexpected('no_list')
          const { next, refusal } = linkIn(body, url)
          const items = await readItems(source, sent ?? value, tenantId, bytes)
          tell(items)
          const full = next !== null || items.length >= asked
          return { items, full, link: opaque(next), ...readable, partial, sentAt, count: countIn(body), refusal }
        } catch (error) {
          if (error instanceof SyntaxError) throw unexpected('not_json')
          // An order that is refused looks alike: whoever asked for one tries without it first.
          if (isRefusedPage(error) && !(ordered && calls === 1)) {
            refusedAt ??= asked
            if (top === 1) top = refusedAt
            if (asked === 1) throw error
            top = Math.ceil(asked / 2)
            url = null
            continue
          }
          if (!(error instanceof Refusal) || error.facts.error !== tooLarge) throw error
          url = null
          if (top > 1) {
            top = Math.ceil(top / 5)
            continue
          }
          const item = oversizedAt(error, skip)
          if (oversized.size > mostOversized) throw error
          // The next one is hardly like it.
          top = Math.max(1, Math.ceil(began / 5))
          return {
            items: [item],
            full: true,
            link: null,
            oversized: true,
            passedOver: item.id === null || item.updatedAt === null,
            partial: null,
            sentAt: null,
            count: null,
            refusal: null,
          }
        }
      }
    },
    async count(query) {
      try {
        const { body, partial } = await call(source.listUrl(query, { top: 1, skip: 0, counted: true }))
        countLacks = bothLack(countLacks, partial ?? null)
        return countIn(body)
      } catch (error) {
        if (error instanceof AnswerTooLarge) return countAtStart(error.head)
        if (error instanceof Refusal && error.facts.status === 400) return null
        throw error
      }
    },
  }

  /** Known by what its answer begins with, so that it is one thing wherever in the list it is met. */
  function oversizedAt(error: Refusal, skip: number): Listed {
    const head = error instanceof AnswerTooLarge ? error.head : null
    const key = head === null ? `item ${skip + 1}` : hash('sha256', head, 'hex')
    const known = oversized.get(key)
    if (known) return known
    const item = tooLargeItem(head === null ? null : firstItemIn(head), `item ${skip + 1} of the list`)
    oversized.set(key, item)
    tell([item])
    return item
  }

  function linkIn(body: Record<string, unknown>, asked: string): { next: string | null; refusal: Refusal | null } {
    const said = body['@odata.nextLink'] ?? null
    if (said === null) return { next: null, refusal: null }
    try {
      const next = followable(said, asked, unexpected)
      return { next, refusal: visited.has(next) ? unexpected('same_page_again') : null }
    } catch (error) {
      if (error instanceof Refusal) return { next: null, refusal: error }
      throw error
    }
  }

  /** Graph takes `$skip` whatever its links look like, and only we know how far to step back. */
  function opaque(link: string | null): string | null {
    return link === null || source.api === 'graph' || new URL(link).searchParams.has('$skip') ? null : link
  }

  function tell(items: readonly Listed[]): void {
    const rejected = items.flatMap(({ read }) => ('reason' in read ? [read] : []))
    if (rejected.length === 0) return
    const told = rejected.slice(0, 20).map(({ cause: _, ...item }) => item)
    // An error of ours that one item led to: with its stack, as nobody else tells of it.
    const cause = rejected.find((item) => item.cause !== undefined)?.cause
    log.warn({ tenantId, rejected: told, ...(cause ? { err: cause } : {}) }, 'incidents were not understood')
  }
}

const readable = { oversized: false, passedOver: false }

const isRefusedPage = (error: unknown) =>
  error instanceof Refusal && error.code === 'unexpected-answer' && error.facts.status === 400

/** No tenant has more; beyond it lies what no column of a database holds. */
const mostCounted = 1_000_000_000

function countIn(body: Record<string, unknown>): number | null {
  const count = body['@odata.count']
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) return null
  return count >= 0 && count <= mostCounted ? count : null
}

/** The count stands before the list. https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ControlInformationcountodatacount */
function countAtStart(head: Uint8Array): number | null {
  const [before = ''] = new TextDecoder().decode(head).split('"value"')
  const [, digits] = /"@odata\.count"\s*:\s*(\d{1,9})\b/.exec(before) ?? []
  return digits === undefined ? null : Number(digits)
}

/**
 * A link of the service's, checked: it gets our token, so it leads back to the same origin and path or nowhere.
 * @throws what `unexpected` makes
 */
export function followable(link: unknown, first: string, unexpected: (error: string) => Refusal): string {
  if (typeof link !== 'string' || link.length > 8_000 || !URL.canParse(link)) throw unexpected('next_link_unreadable')
  const { origin, pathname, username, password } = new URL(link)
  const own = new URL(first)
  const same = origin === own.origin && pathname.toLowerCase() === own.pathname.toLowerCase()
  if (!same || username !== '' || password !== '') throw unexpected('next_link_leads_away')
  return link
}

/** What of a page is handed on. */
export function pageOf(
  items: readonly Listed[],
  { partial, sentAt }: Pick<ListPage, 'partial' | 'sentAt'>,
): IncidentPage {
  const page: IncidentPage = {
    incidents: [],
    rejected: [],
    ...(partial ? { partial } : {}),
    ...(sentAt ? { sentAt } : {}),
  }
  for (const { read } of items) {
    if ('reason' in read) page.rejected.push(read)
    else page.incidents.push(read)
  }
  return page
}
