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
import { countAtStart, firstItemIn } from './list-head.ts'
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

/** An answer is looked through in one piece, and is in memory until it is stored. */
const heavy = 4_000_000
const light = 1_000_000
/** Items too large by themselves in one list: beyond this it is no longer about items. */
const mostOversized = 100

/** Where a page begins and how it is asked for. */
interface PageRequest {
  skip: number
  ordered?: boolean
  counted?: boolean
  /** A link of the service's to begin with. */
  link?: string | null
}

/**
 * Asks for the pages of one list, as large as they can well be.
 *
 * 1. A page too large to read is asked for again in smaller pieces; one incident too large by itself is rejected alone.
 * 2. A page that is refused with 400 is asked for again in smaller ones, down to one item; what is taken is remembered.
 * 3. After a heavy page the next one is asked for smaller, after a light one larger again.
 * 4. A link is believed only when it leads back to the same origin and path, and to what was not asked for before.
 * 5. Too many pages or too much time end the list: a cursor must not move over what was never seen.
 */
export class Pager {
  readonly #paging: Paging
  readonly #limits: PagingLimits
  readonly #started = performance.now()
  readonly #visited = new Set<string>()
  /** Items too large by themselves, by what their answers begin with: each is one thing, however often it is met. */
  readonly #oversized = new Map<string, Listed>()
  #most: number
  #top: number
  #calls = 0
  #countLacks: PartialAnswer | null = null

  constructor(paging: Paging) {
    const { source, tenantId, sizes, limits = pagingLimits } = paging
    this.#paging = paging
    this.#limits = limits
    this.#most = Math.min(sizes?.mostOf(tenantId) ?? source.pageSize, source.pageSize)
    this.#top = this.#most
  }

  get source(): IncidentSource {
    return this.#paging.source
  }

  /** How many items the next page is asked for. */
  get top(): number {
    return this.#top
  }

  /** How many items a page may have at most. */
  get most(): number {
    return this.#most
  }

  /** What counts said of themselves that they lack. */
  get countLacks(): PartialAnswer | null {
    return this.#countLacks
  }

  /** @throws Refusal */
  async ask(query: ListQuery, { skip, ordered = false, counted = false, link = null }: PageRequest): Promise<ListPage> {
    const began = this.#top
    let refusedAt: number | null = null
    for (let url = link; ; url = null) {
      const top = this.#top
      try {
        return await this.#read(url ?? this.source.listUrl(query, { top, skip, ordered, counted }), top, refusedAt)
      } catch (error) {
        if (error instanceof SyntaxError) throw this.unexpected('not_json')
        // A refused order looks alike: the caller that asked for one tries without it first.
        if (isRefusedPage(error) && !(ordered && this.#calls === 1)) {
          refusedAt ??= top
          this.#top = top === 1 ? refusedAt : Math.ceil(top / 2)
          if (top === 1) throw error
        } else {
          if (!(error instanceof Refusal) || error.facts.error !== tooLarge) throw error
          if (top === 1) return this.#passOver(error, skip, began)
          this.#top = Math.ceil(top / 5)
        }
      }
    }
  }

  /** How many items match; null where the service does not say. @throws Refusal */
  async count(query: ListQuery): Promise<number | null> {
    try {
      const { body, partial } = await this.#call(this.source.listUrl(query, { top: 1, skip: 0, counted: true }))
      this.#countLacks = bothLack(this.#countLacks, partial ?? null)
      return countIn(body)
    } catch (error) {
      if (error instanceof AnswerTooLarge) return countAtStart(error.head)
      if (error instanceof Refusal && error.facts.status === 400) return null
      throw error
    }
  }

  unexpected(error: string): Refusal {
    return new Refusal('unexpected-answer', { at: this.#paging.now().toISOString(), error })
  }

  #call(url: string): ReturnType<GetRecord> {
    if (++this.#calls > this.#limits.pages) throw this.unexpected('too_many_pages')
    if (performance.now() - this.#started > this.#limits.ms) throw this.unexpected('pages_without_end')
    this.#visited.add(url)
    return this.#paging.get(url)
  }

  /** @param refusedAt a larger page that was refused on the way to this one */
  async #read(url: string, top: number, refusedAt: number | null): Promise<ListPage> {
    const { source, tenantId } = this.#paging
    const { body, bytes, items: sent, partial = null, sentAt = null } = await this.#call(url)
    if (bytes > heavy) this.#top = Math.max(1, Math.floor((top * heavy) / 2 / bytes))
    else if (bytes < light) this.#top = Math.min(this.#most, top * 5)
    if (refusedAt !== null) this.#learnMost(top)
    const { value } = body
    if (!Array.isArray(value)) throw this.unexpected('no_list')
    const { next, refusal } = this.#linkIn(body, url)
    const items = await readItems(source, sent ?? value, tenantId, bytes)
    this.#logRejected(items)
    const full = next !== null || items.length >= top
    return { items, full, link: this.#opaque(next), ...readable, partial, sentAt, count: countIn(body), refusal }
  }

  #learnMost(top: number): void {
    const { sizes, log, tenantId } = this.#paging
    this.#most = top
    this.#top = top
    sizes?.learn(tenantId, top)
    log.warn({ tenantId, items: top }, 'Microsoft takes fewer items a page than it documents')
  }

  /** A page of one item that is too large by itself. @throws Refusal where there are too many of those */
  #passOver(error: Refusal, skip: number, began: number): ListPage {
    const item = this.#oversizedAt(error, skip)
    if (this.#oversized.size > mostOversized) throw error
    // The next one is hardly like it.
    this.#top = Math.max(1, Math.ceil(began / 5))
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

  /** Known by what its answer begins with, so that it is one thing wherever in the list it is met. */
  #oversizedAt(error: Refusal, skip: number): Listed {
    const head = error instanceof AnswerTooLarge ? error.head : null
    const key = head === null ? `item ${skip + 1}` : hash('sha256', head, 'hex')
    const before = this.#oversized.get(key)
    if (before) return before
    const item = tooLargeItem(head === null ? null : firstItemIn(head), `item ${skip + 1} of the list`)
    this.#oversized.set(key, item)
    this.#logRejected([item])
    return item
  }

  #linkIn(body: Record<string, unknown>, url: string): { next: string | null; refusal: Refusal | null } {
    const link = body['@odata.nextLink'] ?? null
    if (link === null) return { next: null, refusal: null }
    try {
      const next = followable(link, url, (error) => this.unexpected(error))
      return { next, refusal: this.#visited.has(next) ? this.unexpected('same_page_again') : null }
    } catch (error) {
      if (error instanceof Refusal) return { next: null, refusal: error }
      throw error
    }
  }

  /** Graph takes `$skip` whatever its links look like, and only we know how far to step back. */
  #opaque(link: string | null): string | null {
    return link === null || this.source.api === 'graph' || new URL(link).searchParams.has('$skip') ? null : link
  }

  #logRejected(items: readonly Listed[]): void {
    const rejected = items.flatMap(({ read }) => ('reason' in read ? [read] : []))
    if (rejected.length === 0) return
    const firstFew = rejected.slice(0, 20).map(({ cause: _, ...item }) => item)
    // An error of ours that one item led to: with its stack, as nobody else tells of it.
    const cause = rejected.find((item) => item.cause !== undefined)?.cause
    const { log, tenantId } = this.#paging
    log.warn({ tenantId, rejected: firstFew, ...(cause ? { err: cause } : {}) }, 'incidents were not understood')
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
