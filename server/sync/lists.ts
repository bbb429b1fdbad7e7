import type { IncidentPage, IncidentQuery, Instant } from '../model/incident.ts'
import { believedAhead } from '../store/incidents/upsert.ts'
import { type Completed, storePage } from '../store/sync/syncs.ts'
import { partialPause } from './pace.ts'
import { instant, type SyncRun } from './run.ts'

/** How far back the first sync runs and the deep comparisons look. */
export const backfillDays = 30
/** A list longer than this is read in slices, so that an interrupted sync run leaves part of it done for good. */
export const longList = 8

/**
 * The newest time among incidents, as far as it can be believed: one further ahead moves nothing. What bears a time after
 * its page was sent, by Microsoft's own clock, would carry the cursor past incidents that are still to be shown.
 */
export class Newest {
  at: Instant | null
  readonly #latest: Instant

  constructor(at: Instant | null, now: Date) {
    this.at = at
    this.#latest = instant(now.getTime() + believedAhead)
  }

  see({ incidents, sentAt = this.#latest }: IncidentPage): void {
    const latest = sentAt < this.#latest ? sentAt : this.#latest
    // As a version before left it.
    if (this.at !== null && this.at > latest) this.at = latest
    for (const { lastUpdateAt } of incidents) {
      if (lastUpdateAt <= latest && (this.at === null || lastUpdateAt > this.at)) this.at = lastUpdateAt
    }
  }
}

/** Milliseconds until a tenant whose answers are incomplete is read again. */
export const pauseOfPartial = ({ tenant, portal, now }: SyncRun) =>
  partialPause(tenant.partialSince, portal.config.sync, now)

/** What of a sync run's end the lists decide. */
export type Lists = Pick<Completed, 'cursor' | 'partialCursor' | 'whole'>

/** Whether they go on from a cursor of their own. */
export const lacks = ({ partialCursor }: Lists) => typeof partialCursor === 'string'

/**
 * What the lists of a sync run mean for the cursor. Lists that are incomplete by their own account leave it where it is: what
 * they lack is found when it is read again from there. They go on meanwhile from a cursor of their own, so that a source
 * that is silent for days costs no more than a poll.
 * @param newest the newest time seen
 * @param since where the lists began
 */
export function listsOf(run: SyncRun, newest: Instant | null, since: Instant): Lists {
  const { tenant, portal } = run
  if (run.partial !== null) {
    // Where nothing was seen, the next one begins where this one did.
    const partialCursor = newest ?? instant(Date.parse(since) + portal.config.sync.overlapMs)
    return { cursor: null, partialCursor, whole: false }
  }
  // Whole again, from where the incomplete ones had come: what lies before is read next.
  if (tenant.partialCursor !== null) return { cursor: null, partialCursor: null, whole: false }
  return { cursor: newest, whole: true }
}

/** Stores a page and counts it in. @throws ClaimLostError */
export async function store(run: SyncRun, page: IncidentPage): Promise<void> {
  run.count(page, await storePage(run.portal.db, run.claim, await run.writeRow(), page, run.now))
}

export interface List {
  /**
   * The last page, where it was known to be that, still to be stored: with whatever the end of the list decides, in one
   * transaction. No other page is kept while the next is waited for.
   */
  last: IncidentPage | null
  pages: number
  /** False where it was broken off for being too long. */
  whole: boolean
}

/** Reads and stores a list, all but a page that is known to be its last, up to `mostPages`. @throws Refusal; ClaimLostError */
export async function readList(run: SyncRun, query: IncidentQuery, newest: Newest, mostPages: number): Promise<List> {
  const list: List = { last: null, pages: 0, whole: true }
  for await (const page of run.pages(query)) {
    run.throwIfStopping()
    const isTooLong = ++list.pages > mostPages
    if (page.isEnd && !isTooLong) list.last = page
    else await store(run, page)
    if (isTooLong) return { ...list, whole: false }
    newest.see(page)
  }
  return list
}
