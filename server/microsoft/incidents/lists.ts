import type { IncidentPage, Instant } from '../../model/incident.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Listed, ListQuery } from './incidents.ts'
import { type ListPage, Pager, type Paging, pageOf } from './pages.ts'
import { inside, instantAfter, partsOf } from './spans.ts'

/** What was read of a list so far: the newest version of each item that has an ID. */
type Known = Map<string, Listed>

/**
 * The whole list, or a refusal: read to its end, it has shown every incident that matched all the while and did
 * not change. Why that holds, and what it costs, is in docs/decisions/0010-lists-read-whole.md.
 *
 * Defender's list is read in overlapping steps. Graph's stops giving pages somewhere down a long one without a word; it
 * is read upwards from one update to the next, and taken apart where that proves nothing.
 * @throws Refusal
 */
export async function* readIncidents(paging: Paging): AsyncGenerator<IncidentPage> {
  const pager = new Pager(paging)
  const known: Known = new Map()
  let first = true
  // What is too large is the same thing wherever it is met again.
  const toldItems = new WeakSet<object>()
  for await (const whole of readWhole(pager, paging.query, known)) {
    const page = { ...whole, rejected: whole.rejected.filter((item) => !toldItems.has(item)) }
    for (const item of page.rejected) toldItems.add(item)
    if (first || page.incidents.length > 0 || page.rejected.length > 0 || page.partial) yield page
    first = false
  }
  if (pager.countLacks !== null) yield pageOf([], { partial: pager.countLacks, sentAt: null })
}

async function* readWhole(pager: Pager, query: ListQuery, known: Known): AsyncGenerator<IncidentPage> {
  if (pager.source.api === 'defender') yield* readInSteps(pager, query, known, new Map())
  else if ((yield* readUpwards(pager, query, known)) === 'unsure') yield* readApart(pager, query, known)
}

/** How a list was read by steps. */
interface Steps {
  /** Without those of one item that is too large: what is behind it is asked for apart whatever there is. */
  pages: number
  /** Items that were passed over, of which nothing is known but that they are there. */
  passedOver: number
}

/** A full page shows this much of the one before. */
const overlap = 2
const mostStumbles = 25

/**
 * Page after page by `$skip`, each beginning with the end of the one before. Whatever order the list is in, as long as
 * it is one: an item that did not change stands behind the same unchanged items as before, so a page that shows one of
 * those already passed leaves no gap. One that shows none was moved under our feet (an item that leaves the list moves
 * all behind it up), and we step back until we know the place.
 * @param passed where to note what the list held
 * @throws Refusal
 */
async function* readInSteps(
  pager: Pager,
  query: ListQuery,
  known: Known,
  passed: Known,
): AsyncGenerator<IncidentPage, Steps> {
  let skip = 0
  let link: string | null = null
  let blind = false
  let back = 0
  let stumbles = 0
  let previous = ''
  let passedOver = 0
  let pages = 0
  for (;;) {
    const page: ListPage = await pager.ask(query, { skip, link })
    if (!page.oversized) pages++
    // Graph ends in an empty page where it gives no more, whatever there is: the apparent end is proven by taking the list apart.
    if (page.items.length === 0 && skip > 0 && pager.source.api === 'graph') return { pages, passedOver }
    const sure = skip === 0 || link !== null || blind || page.items.some((item) => isKnown(passed, item))
    if (!sure) {
      if (++stumbles > mostStumbles + passed.size / 10) throw pager.unexpected('list_keeps_moving')
      back = Math.max(back * 4, 10)
      skip = Math.max(0, skip - back)
      previous = ''
      continue
    }
    back = 0
    // A few may well come twice when the list moves under our feet; a whole page does not.
    const fingerprint =
      page.items.length < 5 ? '' : JSON.stringify(page.items.map(({ id, updatedAt }) => [id, updatedAt]))
    if (fingerprint !== '' && fingerprint === previous) throw pager.unexpected('same_page_again')
    previous = fingerprint
    note(passed, page.items)
    link = page.link
    const shownItems = page.items.length
    const isEnd = link === null && (!page.full || shownItems === 0)
    if (page.passedOver && page.items.every(({ id }) => id === null)) passedOver++
    yield fresh(known, page, isEnd && page.refusal === null && pager.source.api === 'defender')
    page.items.length = 0
    if (page.refusal) throw page.refusal
    if (isEnd) return { pages, passedOver }
    // Small pages are those of heavy items: there the overlap would cost as much as the page.
    const again = page.passedOver || pager.top < 10 || shownItems <= overlap ? 0 : overlap
    blind = again === 0
    skip += shownItems - again
  }
}

/**
 * From one update to the next, oldest first: each page is the first one of what is left, so nothing that moves moves it,
 * and no offset is ever deep. That Graph lists in this order is not documented, so each page is looked at, and a list
 * of several pages is counted in the end.
 * @returns whether the list was proven whole
 */
async function* readUpwards(
  pager: Pager,
  query: ListQuery,
  known: Known,
): AsyncGenerator<IncidentPage, 'whole' | 'unsure'> {
  let from = query.updatedSince
  let counted: number | null = null
  let ascending = false
  // What leaves the list meanwhile would hide from a count in the end that something was never seen.
  const canBeLeft = query.updatedBefore !== undefined || query.status !== undefined
  for (let pages = 1; ; pages++) {
    const left: ListQuery = from === undefined ? query : { ...query, updatedSince: from }
    let page: ListPage
    try {
      page = await pager.ask(left, { skip: 0, ordered: true, counted: pages === 1 && canBeLeft })
    } catch (error) {
      if (pages === 1 && error instanceof Refusal && error.facts.status === 400) return 'unsure'
      throw error
    }
    const [oldest, newest] = upwards(page.items) ?? []
    yield fresh(known, page, pages === 1 && !page.full && page.refusal === null)
    page.items.length = 0
    if (page.refusal) throw page.refusal
    counted ??= page.count
    if (!page.full) return pages === 1 || (await isCounted(pager, query, known, counted)) ? 'whole' : 'unsure'
    if (page.passedOver || !oldest || !newest || (from !== undefined && oldest < from)) return 'unsure'
    // A page of one instant says nothing of the order, unless those before it did.
    ascending ||= oldest < newest
    if (!ascending) return 'unsure'
    from = newest
    if (oldest === newest) {
      from = instantAfter(newest)
      yield* readApart(pager, { ...query, updatedSince: newest, updatedBefore: from }, known)
      if (query.updatedBefore !== undefined && from >= query.updatedBefore) return 'whole'
    }
  }
}

/** First and last update of items that come oldest first; null when they do not. */
function upwards(items: readonly Listed[]): [Instant, Instant] | null {
  const times = items.flatMap(({ updatedAt }) => updatedAt ?? [])
  if (times.some((time, index) => index > 0 && time < (times[index - 1] ?? ''))) return null
  const [first, last] = [times[0], times.at(-1)]
  return first === undefined || last === undefined ? null : [first, last]
}

/**
 * Whether the service counts no more than was seen, now and `before`: up to the newest that was seen, as what came later
 * is still to come.
 */
async function isCounted(pager: Pager, query: ListQuery, known: Known, before: number | null): Promise<boolean> {
  const items = [...known.values()].filter((item) => inside(query, item))
  let newest = ''
  for (const { updatedAt } of items) if (updatedAt !== null && updatedAt > newest) newest = updatedAt
  if (newest === '' || (before ?? 0) > items.length) return false
  const count = await pager.count({ ...query, updatedBefore: instantAfter(newest) })
  return count === null || count <= items.length
}

/** So much of a page is left free in parts of what was seen, for what was not. */
const filled = 0.8

/**
 * A list of which nothing is certain but what it answers: one page that says it is the last and is not full is whole.
 * What is longer is read to its apparent end and taken apart by what that showed, and each part is read like this one.
 * @throws Refusal `unexpected-answer` for more items alike in every documented way than the service will give
 */
async function* readApart(pager: Pager, query: ListQuery, known: Known): AsyncGenerator<IncidentPage> {
  const passed: Known = new Map()
  const { pages, passedOver } = yield* readInSteps(pager, query, known, passed)
  if (pages === 1) return
  const items = [...passed.values()].filter((item) => inside(query, item))
  if (items.length === 0) {
    // Only what is too large to be read: there is nothing to take apart.
    if (passedOver + passed.size > 0 && [...passed.values()].every(({ updatedAt }) => updatedAt === null)) return
    throw pager.unexpected('filter_ignored')
  }
  const parts = partsOf(query, items, pager.source.kinds, pager.most * filled)
  for (const part of parts ?? []) yield* readApart(pager, part, known)
  if (parts !== null) return
  const count = await pager.count(query)
  if (count === null || count > passed.size + passedOver) throw pager.unexpected('too_many_alike')
}

function isKnown(known: Known, { id, updatedAt }: Listed): boolean {
  return id !== null && updatedAt !== null && known.get(id)?.updatedAt === updatedAt
}

function note(known: Known, items: readonly Listed[]): void {
  for (const item of items) {
    if (item.id === null) continue
    const before = known.get(item.id)
    if (!before || (item.updatedAt ?? '') >= (before.updatedAt ?? '')) known.set(item.id, bare(item))
  }
}

/** Without the incident itself: a list is long. */
const bare = ({ id, updatedAt, createdAt }: Listed): Listed => ({ id, updatedAt, createdAt, read: seenBefore })
const seenBefore = { id: null, reason: 'unreadable', detail: 'read before' } as const

/** What of a page was not handed on before. */
function fresh(known: Known, { items, ...about }: ListPage, isEnd: boolean): IncidentPage {
  const page = pageOf(
    items.filter((item) => !isKnown(known, item)),
    about,
  )
  note(known, items)
  return isEnd ? { ...page, isEnd } : page
}
